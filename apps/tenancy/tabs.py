"""The tabs of the settings: one line each, in their order. Other apps add theirs by the name of its route."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.actor import Actor


@dataclass(frozen=True, slots=True)
class Tab:
    """`key` is what a page calls itself, `permission` what its reader needs."""

    key: str
    label: str | Promise
    route: str
    permission: str

    @property
    def href(self) -> str:
        """Where it leads."""
        return reverse(self.route)


TABS = (
    Tab("organisation", _("Organisation"), "settings", "settings:write"),
    Tab("region", _("Region"), "settings-region", "settings:write"),
    Tab("tax-ids", _("Tax numbers"), "settings-tax-ids", "settings:write"),
    Tab("numbers", _("Numbers"), "settings-numbers", "settings:write"),
    Tab("domains", _("Domains"), "settings-domains", "settings:write"),
    Tab("brands", _("Brands"), "settings-brands", "brands:write"),
    Tab("sign-in", _("Sign-in"), "iam:mfa-policy", "settings:write"),
    Tab("api-keys", _("API keys"), "iam:api-keys", "api_keys:write"),
    Tab("webhooks", _("Webhooks"), "webhooks:list", "webhooks:write"),
    Tab("sso", _("Single sign-on"), "iam:sso-settings", "sso:write"),
    Tab("directory", _("Directory"), "iam:directory", "scim:write"),
    Tab("data", _("Your data"), "archives:exports", "tenant:export"),
    Tab("danger", _("Danger zone"), "life:danger", "tenant:suspend"),
)


def tabs_for(actor: Actor | None) -> list[Tab]:
    """The tabs that the actor may open."""
    return [tab for tab in TABS if actor is not None and actor.may(tab.permission)]
