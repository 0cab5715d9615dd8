"""What a sign-in may reach at all: an operator in a member's name, and who still has the password of an operator."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.core.errors import PermissionRefused
from apps.core.serving import declares
from apps.iam.errors import PasswordChangeRequired

# A person's own account and his other workspaces; whoever acts in his name has no business there.
_OWN_ROUTES = ("account/", "workspaces/", "verify-email/", "passkeys/")


def require_own_name(request: Any) -> None:
    """Check that an operator in a member's name stays out of what is the person's own.

    Raises:
        PermissionRefused: he does not.
    """
    if request.actor is None or request.actor.impersonator_id is None:
        return
    if request.resolver_match.route.startswith(_OWN_ROUTES):
        raise PermissionRefused(_("Not in somebody else's name: this is the person's own."))


def require_own_password(request: Any, view: Any) -> None:
    """Check that a password which an operator gave is replaced before anything else.

    Raises:
        PasswordChangeRequired: it is not.
    """
    if request.identity is None or not request.identity.owes_own_password:
        return
    if not declares(view, "serves_temporary_password"):
        raise PasswordChangeRequired(_("Choose a password of your own first."))


def to_own_password(request: HttpRequest) -> HttpResponse:
    """To the page where the person chooses a password of his own."""
    messages.warning(request, _("Choose a password of your own first."))
    return HttpResponseRedirect(reverse("iam:security"))
