"""What a page tells of a domain that DNS was asked for just now."""

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _

from apps.tenancy.models import ClaimState
from apps.tenancy.proving import ProofView


def tell(request: HttpRequest, found: ProofView) -> None:
    """Say on the next page how the proof stands."""
    name = {"domain": found.readable}
    if found.state == ClaimState.VERIFIED and not found.last_error:
        messages.success(request, _("%(domain)s is verified.") % name)
    elif found.last_error == "taken":
        messages.error(request, _("Another organisation has verified %(domain)s.") % name)
    elif found.last_error == "silent":
        messages.error(request, _("The name servers of %(domain)s did not answer; we try again soon.") % name)
    else:
        messages.error(request, _("The record of %(domain)s is not there yet; it can take an hour to spread.") % name)
