"""What every answer carries for browsers: made once at the start, so that an answer costs a dictionary's merge."""

from dataclasses import dataclass
from typing import Any

from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

CSP = "Content-Security-Policy"
API_PREFIX = "/api/"
# Swagger's pages are pages, not answers to programs.
PAGES_OF_API = "/api/docs/"
ADMIN_PREFIX = "/admin/"
_PLACE = "place-of-the-nonce"

# As Django keeps them: lower-case name → name and value.
Pairs = dict[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Policies:
    """The headers of each kind of answer; `with_nonce` is the pages' policy with a place for the nonce."""

    everywhere: Pairs
    over_https: Pairs
    of_api: Pairs
    of_docs: Pairs
    of_admin: Pairs
    of_pages: Pairs
    of_people: Pairs
    with_nonce: str

    @classmethod
    def from_settings(cls) -> "Policies":
        """As the settings want them."""
        pages = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
        private = _pairs({"Cache-Control": "private, no-store"})
        everywhere = _pairs(
            {
                "X-Content-Type-Options": "nosniff",
                "X-Frame-Options": settings.X_FRAME_OPTIONS,
                "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
                "Cross-Origin-Opener-Policy": settings.SECURE_CROSS_ORIGIN_OPENER_POLICY,
                "Cross-Origin-Resource-Policy": "same-origin",
                "Permissions-Policy": settings.PERMISSIONS_POLICY,
            }
        )
        hsts = _hsts()
        return cls(
            everywhere=everywhere,
            over_https=everywhere | _pairs({"Strict-Transport-Security": hsts} if hsts else {}),
            of_api=_pairs({CSP: _policy(settings.CSP_OF_API), "Cache-Control": "no-store"}),
            of_docs=_pairs({CSP: _policy(settings.CSP_OF_DOCS)}),
            of_admin=_pairs({CSP: _policy(settings.CSP_OF_ADMIN)}) | private,
            of_pages=_pairs({CSP: _policy(pages)}),
            of_people=private,
            with_nonce=_policy(pages, _PLACE),
        )

    def apply(self, request: HttpRequest, response: HttpResponseBase, *, is_secure: bool) -> None:
        """Write them onto an answer; what the view itself has set stands."""
        path = request.path_info
        if path.startswith(API_PREFIX):
            own = self.of_docs if path.startswith(PAGES_OF_API) else self.of_api
        elif path.startswith(ADMIN_PREFIX):
            own = self.of_admin
        else:
            own = self._of_page(request, response)
        # Django's setters check each value anew, which takes 15 µs for what was checked when the process began.
        headers: Any = response.headers
        headers._store = {**(self.over_https if is_secure else self.everywhere), **own, **headers._store}

    def _of_page(self, request: Any, response: Any) -> Pairs:
        nonce: str | None = getattr(request, "_csp_nonce", None)
        own = self.of_pages
        if nonce is not None:
            own = {CSP.lower(): (CSP, self.with_nonce.replace(_PLACE, nonce))}
        changes: dict[str, Any] = {
            name: getattr(response, f"_csp_{name}", None) for name in ("config", "update", "replace")
        }
        if any(changes.values()):  # by one of django-csp's decorators
            own = _pairs({CSP: build_policy(**changes, nonce=nonce)})
        # What somebody saw must not come back after he has signed out.
        return own | self.of_people if getattr(request, "actor", None) is not None else own


def _policy(directives: dict[str, Any], nonce: str | None = None) -> str:
    return str(build_policy(config=directives, nonce=nonce))


def _pairs(headers: dict[str, str]) -> Pairs:
    return {name.lower(): (name, value) for name, value in headers.items()}


def _hsts() -> str:
    if not settings.SECURE_HSTS_SECONDS:
        return ""
    parts = [f"max-age={settings.SECURE_HSTS_SECONDS}"]
    parts += ["includeSubDomains"] if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else []
    parts += ["preload"] if settings.SECURE_HSTS_PRELOAD else []
    return "; ".join(parts)
