"""Refusals of the tenancy app."""

from apps.core.errors import Conflict, PermissionRefused, Unavailable


class NameTaken(Conflict):
    """Another organisation has this name or host."""

    code, title = "tenant_name_taken", "This organisation name is already taken"


class TenantNotAvailable(PermissionRefused):
    """The workspace is being prepared, failed, or is deleted."""

    code, title = "tenant_not_available", "This workspace is not available"


class TenantReadOnly(PermissionRefused):
    """The workspace is suspended: its people may look, nobody may change anything."""

    code, title = "tenant_suspended", "This workspace is suspended and read-only"


class TemplateMissing(Unavailable):
    """No schema template was built; ``manage.py migrate_platform`` makes it."""

    code, title = "schema_template_missing", "The platform is not set up yet"


class DomainTaken(Conflict):
    """Another organisation has proved that the domain is its own."""

    code, title = "domain_taken", "This domain belongs to another organisation"


class DomainNotVerified(Conflict):
    """The domain leads nowhere yet, so nothing may point to it."""

    code, title = "domain_not_verified", "This domain is not verified"


class TooMany(Conflict):
    """The organisation has as many of these as one may have."""

    code, title = "too_many", "There are too many of these"


class EmailNotVerified(PermissionRefused):
    """People whose e-mail is not verified cannot change the state of their workspace."""

    code, title = "email_not_verified", "Your e-mail address is not verified"


class SuspendedByPlatform(PermissionRefused):
    """A suspension is lifted by whoever imposed it, or by an operator."""

    code, title = "suspended_by_platform", "This workspace was suspended by the platform"


class OnlyWorkspace(Conflict):
    """The installation's one workspace is asked to go."""

    code, title = "only_workspace", "This is the only workspace of the installation"
