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
