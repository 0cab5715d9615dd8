"""From an e-mail that is owed to the message that goes out: texts, sender, attachment."""

from email.utils import formataddr, parseaddr
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation

from apps.core import tracing
from apps.core.tenants import tenant_scope
from apps.iam import services as iam
from apps.invoices import services as invoices
from apps.notifications.languages import language_of
from apps.notifications.models import EmailDelivery
from apps.notifications.services import PRIVATE_LINK
from apps.tenancy import selectors as tenancy


class UnknownAttachment(LookupError):
    """A delivery names a kind of attachment that nothing makes."""


def compose(row: EmailDelivery) -> EmailMultiAlternatives:
    """The message, in the language nearest to the recipient's. Fetches the attachment, so no transaction may be open.

    The Message-ID follows from the row, so that a message sent twice because a worker died between sending and
    noting it is recognisable as one (RFC 5322, 3.6.4).
    """
    language = language_of(row.locale)
    with translation.override(language):
        context = {
            **row.context,
            "subject": row.subject,
            "language": language,
            "direction": "rtl" if translation.get_language_bidi() else "ltr",
            "sender_name": row.from_name,
        }
        if private := row.context.get(PRIVATE_LINK):
            context["link"] = iam.mailed_link(kind=private["kind"], row_id=UUID(private["id"]))
        text = render_to_string(f"emails/{row.template}.txt", context)
        html = render_to_string(f"emails/{row.template}.html", context)
    _, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    message = EmailMultiAlternatives(
        subject=row.subject,
        body=text,
        from_email=_sender(row.from_name, address),
        to=[row.to],
        reply_to=[row.reply_to] if row.reply_to else None,
        headers={
            "Message-ID": f"<{row.id}@{address.rpartition('@')[2] or settings.PLATFORM_HOST}>",
            "Auto-Submitted": "auto-generated",
            **tracing.outbound_headers(),
        },
    )
    message.attach_alternative(html, "text/html")
    if row.attachment_kind and row.attachment_id and row.tenant_id:
        content = _content(row.attachment_kind, row.attachment_id, row.tenant_id)
        message.attach(row.attachment_name, content, "application/pdf")
    return message


def _sender(name: str, address: str) -> str:
    if not name:
        return str(settings.DEFAULT_FROM_EMAIL)
    return formataddr((name, address))


def _content(kind: str, object_id: UUID, tenant_id: UUID) -> bytes:
    if kind != "invoice":
        raise UnknownAttachment(kind)
    with tenant_scope(tenancy.tenant_by_id(tenant_id).scope):
        return invoices.ensure_document(invoice_id=object_id)
