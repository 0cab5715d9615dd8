"""Refusals of single sign-on."""

from apps.core.errors import Conflict, DomainError, GatewayFailed, PermissionRefused


class SsoRequired(PermissionRefused):
    """The workspace wants its own sign-in of people with addresses of its domains; `sso_url` leads there."""

    code, title = "sso_required", "This workspace asks you to sign in through your organisation"


class SsoRefused(PermissionRefused):
    """The provider vouched for somebody whom this workspace does not let in by it; `reason` is a word."""

    code, title = "sso_refused", "You cannot sign in to this workspace through your organisation"


class SsoStale(DomainError):
    """The way to the provider and back was begun in another browser, took too long, or is over already."""

    code, title = "sso_stale", "This sign-in has expired. Please begin again"


class ProviderFailed(GatewayFailed):
    """The identity provider does not answer as OpenID Connect asks; `reason` is a word for administrators."""

    code, title = "provider_failed", "Your organisation’s sign-in did not answer as expected"


class MailDomainTaken(Conflict):
    """Another organisation has proved this domain."""

    code, title = "mail_domain_taken", "Another organisation has verified this domain"


class FederatedSession(PermissionRefused):
    """A session that the workspace's provider vouched for reaches nothing outside that workspace."""

    code, title = "federated_session", "Sign in with your own password or passkey to do this"
