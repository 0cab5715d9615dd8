"""Organisations in the operators' admin, with what the other apps know of them: owner, members, trail, jobs."""

from collections.abc import Iterable
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Left
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.archives.models import ArchiveJob
from apps.audit.models import AuditEntry
from apps.iam.models import Membership, Role, TokenFamily
from apps.notifications.models import DeliveryState, EmailDelivery
from apps.payments.models import GatewayEvent
from apps.tenancy.admin import TenantAdmin
from apps.tenancy.models import SchemaTemplate, Tenant, TenantStatus
from apps.tenancy.sizes import sizes_of

SHOWN = 50
_VERB_OF_STATE = {
    TenantStatus.ACTIVE: {"enter", "export", "suspend", "delete"},
    TenantStatus.SUSPENDED: {"enter", "export", "reactivate", "delete"},
    TenantStatus.PROVISIONING: set(),
    TenantStatus.PROVISIONING_FAILED: {"retry", "delete"},
    TenantStatus.DELETED: {"restore"},
}
SCHEMA_LABELS = {"current": "success", "behind": "warning", "none": "info"}


class SchemaFilter(admin.SimpleListFilter):
    """Whether the schema has the migrations of this release."""

    title = _("schema")
    parameter_name = "schema"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The choices."""
        return [("current", _("up to date")), ("behind", _("behind")), ("none", _("none yet"))]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Tenant]") -> "QuerySet[Tenant]":
        """The rows of one choice."""
        newest = _newest_version()
        if self.value() == "current":
            return queryset.filter(schema_version=newest)
        if self.value() == "behind":
            return queryset.exclude(schema_version__in=("", newest))
        if self.value() == "none":
            return queryset.filter(schema_version="")
        return queryset


class OrganisationAdmin(TenantAdmin):
    """The list with what matters at a glance, and one organisation in tabs."""

    list_display: ClassVar = ["name", "state", "owner", "size", "last_active", "schema_state", "slug", "created_at"]
    list_filter: ClassVar[list[Any]] = ["status", SchemaFilter, "currency", "locale", "created_at"]
    search_fields: ClassVar = ["name", "slug", "key", "email", "domains__domain", "memberships__user__email"]
    list_per_page = 50
    show_full_result_count = False
    inlines: ClassVar[list[Any]] = []
    readonly_fields: ClassVar = ["size", "owner", "last_active", "schema_word", "members", "hosts", "trail", "jobs"]
    fieldsets: ClassVar = [
        (
            _("Overview"),
            {
                "classes": ["tab"],
                "fields": [
                    *["name", "status", "status_reason", "suspended_by", "owner", "last_active", "size"],
                    *["key", "slug", "created_at", "deleted_at", "purge_after"],
                    *["legal_name", "address", "tax_id", "email", "time_zone", "locale", "currency"],
                    *["schema_name", "schema_word", "provisioning_step", "provisioning_started_at"],
                ],
            },
        ),
        (_("Members"), {"classes": ["tab"], "fields": ["members"]}),
        (_("Domains"), {"classes": ["tab"], "fields": ["hosts"]}),
        (_("Audit"), {"classes": ["tab"], "fields": ["trail"]}),
        (_("Jobs"), {"classes": ["tab"], "fields": ["jobs"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Tenant]":
        """With the owner and the last activity of each row that is shown."""
        owners = Membership.objects.filter(tenant=OuterRef("pk"), role=Role.OWNER).order_by("pk")
        used = TokenFamily.objects.filter(tenant=OuterRef("pk")).order_by("-last_seen_at")
        rows: QuerySet[Tenant] = super().get_queryset(request)
        found: QuerySet[Tenant] = rows.annotate(
            owner_email=Subquery(owners.values("user__email")[:1]),
            last_used_at=Subquery(used.values("last_seen_at")[:1]),
        )
        return found

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The page with the sizes of all its rows, asked for at once."""
        page = super().get_changelist_instance(request)
        page.result_list = list(page.result_list)
        sizes = sizes_of([row.schema_name for row in page.result_list])
        for row in page.result_list:
            row.schema_bytes = sizes.get(row.schema_name)
        return page

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only what the state allows; the confirmation refuses the rest in words."""
        tenant = Tenant.objects.filter(pk=object_id).first()
        verbs = _VERB_OF_STATE[TenantStatus(tenant.status)] if tenant else set()
        return [
            action
            for action in super().get_actions_detail(request, object_id)
            if action.action_name.rpartition("_")[2] == "link"
            and any(action.action_name.endswith(f"{verb}_link") for verb in verbs)
        ]

    @display(description=_("owner"))
    def owner(self, tenant: Tenant) -> str:
        """The longest-standing owner's e-mail."""
        return getattr(tenant, "owner_email", None) or "–"

    @display(description=_("last activity"), ordering="last_used_at")
    def last_active(self, tenant: Tenant) -> Any:
        """When somebody was last seen in it."""
        seen = getattr(tenant, "last_used_at", None)
        return date_format(localtime(seen), "SHORT_DATETIME_FORMAT") if seen else "–"

    @display(description=_("size"))
    def size(self, tenant: Tenant) -> str:
        """Of its schema, up to ten minutes old."""
        if not hasattr(tenant, "schema_bytes"):
            tenant.schema_bytes = sizes_of([tenant.schema_name]).get(tenant.schema_name)
        size = tenant.schema_bytes
        return "–" if size is None else filesizeformat(size)

    @display(description=_("schema"), label=SCHEMA_LABELS)
    def schema_state(self, tenant: Tenant) -> tuple[str, Any]:
        """Whether its schema has the migrations of this release."""
        if not tenant.schema_version:
            return "none", _("none yet")
        return ("current", _("up to date")) if tenant.schema_version == _newest_version() else ("behind", _("behind"))

    @display(description=_("schema"))
    def schema_word(self, tenant: Tenant) -> Any:
        """The same as a word."""
        return self.schema_state(tenant)[1]

    @display(description=_("members"))
    def members(self, tenant: Tenant) -> SafeString:
        """Who belongs to it."""
        rows = Membership.objects.select_related("user").filter(tenant=tenant).order_by("role", "pk")
        return _table(
            [_("Person"), _("Role"), _("Status"), _("Since")],
            (
                (
                    [row.user.email, row.get_role_display(), row.get_status_display(), row.created_at],
                    reverse("admin:iam_user_change", args=[row.user_id]),
                )
                for row in rows[:SHOWN]
            ),
            rows.count(),
        )

    @display(description=_("domains"))
    def hosts(self, tenant: Tenant) -> SafeString:
        """The hosts that lead to it."""
        rows = tenant.domains.order_by("-is_primary", "domain")
        return _table(
            [_("Host"), _("Primary")],
            (([row.domain, _("yes") if row.is_primary else _("no")], "") for row in rows[:SHOWN]),
            rows.count(),
        )

    @display(description=_("audit trail"))
    def trail(self, tenant: Tenant) -> SafeString:
        """What happened in it, newest first."""
        rows = AuditEntry.objects.filter(tenant_id=tenant.pk).order_by("-id")
        return _table(
            [_("When"), _("Action"), _("Who"), _("What"), _("Severity")],
            (
                (
                    [row.occurred_at, row.action, row.actor_name or row.actor_kind, row.entity_label, row.severity],
                    reverse("admin:audit_auditentry_change", args=[row.pk]),
                )
                for row in rows[:SHOWN]
            ),
            more=f"{reverse('admin:audit_auditentry_changelist')}?q={tenant.pk}",
        )

    @display(description=_("jobs"))
    def jobs(self, tenant: Tenant) -> SafeString:
        """What works, waits or failed in the background."""
        return _table([_("Job"), _("State"), _("Number"), _("Last error")], _jobs_of(tenant.pk))


def _jobs_of(tenant_id: UUID) -> Iterable[tuple[list[Any], str]]:
    letters = EmailDelivery.objects.filter(tenant_id=tenant_id).exclude(state=DeliveryState.SENT)
    for row in letters.values("state").annotate(number=Count("pk")).order_by("state"):
        error = letters.filter(state=row["state"]).order_by("-id").annotate(text=Left("last_error", 200)).first()
        url = f"{reverse('admin:notifications_emaildelivery_changelist')}?state__exact={row['state']}&q={tenant_id}"
        yield [_("E-mails"), DeliveryState(row["state"]).label, row["number"], error.text if error else ""], url
    events = GatewayEvent.objects.filter(tenant_id=tenant_id, status="FAILED")
    if number := events.count():
        yield [_("Stripe events"), "FAILED", number, events.latest("id").last_error], ""
    for job in ArchiveJob.objects.filter(Q(tenant_id=tenant_id)).order_by("-id")[:10]:
        yield [job.get_kind_display(), job.get_status_display(), "1", job.error], ""


def _table(
    heads: list[Any], rows: Iterable[tuple[list[Any], str]], total: int | None = None, more: str = ""
) -> SafeString:
    context = {"heads": heads, "rows": list(rows), "total": total, "shown": SHOWN, "more": more}
    return render_to_string("admin/tenancy/tenant/_table.html", context)


def _newest_version() -> str:
    newest = SchemaTemplate.objects.order_by("-created_at").values_list("version", flat=True).first()
    return newest or ""


def register() -> None:
    """Put this page in the place of the one that the tenancy app knows by itself."""
    admin.site.unregister(Tenant)
    admin.site.register(Tenant, OrganisationAdmin)
