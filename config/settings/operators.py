"""The operators' admin (django-unfold)."""

from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

UNFOLD = {
    "SITE_TITLE": "Insula",
    "SITE_HEADER": "Insula",
    "SITE_SUBHEADER": _("Operators"),
    "SITE_SYMBOL": "apartment",
    "LOGIN": {"form": "apps.iam.forms.OperatorSignInForm"},
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "ENVIRONMENT": "apps.tenancy.operators.badge",
    "DASHBOARD_CALLBACK": "config.operators.dashboard",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("img/insula.svg")},
    ],
    "STYLES": [lambda request: static("css/admin.css")],
    "SIDEBAR": {
        "show_search": True,
        "navigation": [
            {
                "title": _("Platform"),
                "items": [
                    {"title": _("Dashboard"), "icon": "dashboard", "link": reverse_lazy("admin:index")},
                    {
                        "title": _("Organisations"),
                        "icon": "apartment",
                        "link": reverse_lazy("admin:tenancy_tenant_changelist"),
                    },
                    {
                        "title": _("Schema health"),
                        "icon": "monitor_heart",
                        "link": reverse_lazy("admin:tenancy_schemareport_changelist"),
                    },
                    {"title": _("Users"), "icon": "group", "link": reverse_lazy("admin:iam_user_changelist")},
                    {
                        "title": _("Sign-in attempts"),
                        "icon": "login",
                        "link": reverse_lazy("admin:iam_signinattempt_changelist"),
                    },
                    {"title": _("API keys"), "icon": "vpn_key", "link": reverse_lazy("admin:iam_apikey_changelist")},
                    {
                        "title": _("Identity providers"),
                        "icon": "passkey",
                        "link": reverse_lazy("admin:iam_ssoconnection_changelist"),
                    },
                    {
                        "title": _("Mail domains"),
                        "icon": "dns",
                        "link": reverse_lazy("admin:iam_maildomain_changelist"),
                    },
                    {
                        "title": _("Signing keys"),
                        "icon": "key",
                        "link": reverse_lazy("admin:iam_signingkey_changelist"),
                    },
                    {
                        "title": _("Audit trail"),
                        "icon": "history",
                        "link": reverse_lazy("admin:audit_auditentry_changelist"),
                    },
                    {
                        "title": _("Archives"),
                        "icon": "archive",
                        "link": reverse_lazy("admin:archives_archivejob_changelist"),
                    },
                    {
                        "title": _("Stripe events"),
                        "icon": "webhook",
                        "link": reverse_lazy("admin:payments_gatewayevent_changelist"),
                    },
                    {
                        "title": _("E-mail deliveries"),
                        "icon": "outgoing_mail",
                        "link": reverse_lazy("admin:notifications_emaildelivery_changelist"),
                    },
                ],
            },
            {
                "title": _("The organisation you are in"),
                "separator": True,
                "items": [
                    {
                        "title": _("Invoices"),
                        "icon": "receipt_long",
                        "link": reverse_lazy("admin:invoices_invoice_changelist"),
                        "permission": "apps.tenancy.operators.is_inside",
                    },
                    {
                        "title": _("Clients"),
                        "icon": "contacts",
                        "link": reverse_lazy("admin:invoices_client_changelist"),
                        "permission": "apps.tenancy.operators.is_inside",
                    },
                    {
                        "title": _("Payments"),
                        "icon": "payments",
                        "link": reverse_lazy("admin:payments_payment_changelist"),
                        "permission": "apps.tenancy.operators.is_inside",
                    },
                    {
                        "title": _("Ledger entries"),
                        "icon": "account_balance",
                        "link": reverse_lazy("admin:ledger_entry_changelist"),
                        "permission": "apps.tenancy.operators.is_inside",
                    },
                    {
                        "title": _("Webhook endpoints"),
                        "icon": "webhook",
                        "link": reverse_lazy("admin:webhooks_endpoint_changelist"),
                        "permission": "apps.tenancy.operators.is_inside",
                    },
                    {
                        "title": _("Webhook deliveries"),
                        "icon": "send",
                        "link": reverse_lazy("admin:webhooks_delivery_changelist"),
                        "permission": "apps.tenancy.operators.is_inside",
                    },
                    {
                        "title": _("Leave the organisation"),
                        "icon": "logout",
                        "link": reverse_lazy("admin:tenancy_tenant_leave"),
                        "permission": "apps.tenancy.operators.is_inside",
                    },
                ],
            },
        ],
    },
}
