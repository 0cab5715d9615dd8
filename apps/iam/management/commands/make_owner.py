"""Give a workspace its first owner, for example where everybody joins as a member."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.errors import NotFound
from apps.core.tenants import public_scope
from apps.iam import services
from apps.iam.models import Membership, MembershipStatus, Role, normal_email
from apps.tenancy import rollout
from apps.tenancy import selectors as tenancy
from apps.tenancy.default_workspace import default_workspace
from apps.tenancy.selectors import TenantView


class Command(BaseCommand):
    """Make an existing member the owner of a workspace that has none."""

    help = "Make an existing member the owner of a workspace that has none."

    def add_arguments(self, parser: CommandParser) -> None:
        """E-mail, and which workspace where there are many."""
        parser.add_argument("email")
        parser.add_argument("--workspace", default="", help="key or slug; not needed in SINGLE_TENANT")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run.

        Raises:
            CommandError: there is no such workspace or member, or there is an owner already.
        """
        tenant, email = _workspace(options["workspace"]), normal_email(options["email"])
        with public_scope():
            active = Membership.objects.filter(tenant_id=tenant.id, status=MembershipStatus.ACTIVE)
            if active.filter(role=Role.OWNER).exists():
                raise CommandError(f"{tenant.name} has an owner, who can hand it over on the team page.")
            if not active.filter(user__email=email).exists():
                raise CommandError(f"{email} is no active member of {tenant.name}.")
        services.ensure_member(email=email, password="", tenant_id=tenant.id, role=Role.OWNER)
        self.stdout.write(f"{email} owns {tenant.name}.")


def _workspace(name: str) -> TenantView:
    if not name:
        if not rollout.is_single():
            raise CommandError("Name the workspace: --workspace KEY.")
        return default_workspace()
    try:
        with public_scope():
            return tenancy.tenant_by_key_or_slug(name)
    except NotFound as error:
        raise CommandError(error.detail) from error
