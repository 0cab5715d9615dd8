"""Refusals of the invoices app."""

from django.utils.translation import gettext_noop as _

from apps.core.errors import Conflict, NotFound


class ClientNotFound(NotFound):
    """No such client in this workspace, or it was deleted."""

    title = _("There is no such client")


class InvoiceNotFound(NotFound):
    """No such invoice in this workspace."""

    title = _("There is no such invoice")


class StaleEdit(Conflict):
    """Someone else changed the invoice since the caller read it."""

    code, title = "stale_edit", _("This invoice was changed in the meantime")


class ClientDeleted(Conflict):
    """The draft's client was deleted, so it cannot be issued to him."""

    code, title = "client_deleted", _("The client of this invoice was deleted")


class NoRecipient(Conflict):
    """The invoice cannot be e-mailed, because its client has no address."""

    code, title = "client_without_email", _("The client has no e-mail address")


class DocumentNotReady(Conflict):
    """A draft has no document."""

    code, title = "document_not_ready", _("A draft has no PDF; finalize the invoice first")
