"""Signing keys in the operators' admin: what there is and what comes when, and the start of a rotation."""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from apps.core.actor import Actor
from apps.core.errors import DomainError
from apps.core.read_only import ReadOnlyAdmin
from apps.iam import selectors, signing
from apps.iam.origins import origin_of
from apps.iam.signing_models import SigningKey


@admin.register(SigningKey)
class SigningKeyAdmin(ReadOnlyAdmin):
    """Private keys are not here. A key comes by a rotation and never goes: an old token's must stay known."""

    list_display: ClassVar = ["kid", "state", "published_at", "signs_from", "until"]
    fields: ClassVar = ["kid", "public_pem", "published_at", "signs_from", "withdrawn_at"]
    ordering: ClassVar = ["-signs_from"]
    actions_list: ClassVar = ["rotate_link"]
    actions_detail: ClassVar = ["leaked_link"]

    @display(
        description=_("status"),
        label={"SIGNING": "success", "PUBLISHED": "info", "VERIFYING": "warning", "WITHDRAWN": "danger"},
    )
    def state(self, row: SigningKey) -> tuple[str, Any]:
        """Where it stands, as a coloured label."""
        found = _views()[row.kid]
        return found.state.value, found.state.label

    @admin.display(description=_("verifies until"))
    def until(self, row: SigningKey) -> Any:
        """When it retires, once a newer one is to follow."""
        return _views()[row.kid].verifies_until or "–"

    @action(description=_("Rotate"), icon="autorenew", url_path="rotate-link")
    def rotate_link(self, request: HttpRequest) -> HttpResponse:
        """To the confirmation."""
        return HttpResponseRedirect(reverse("admin:iam_signingkey_rotate"))

    @action(description=_("It leaked"), icon="gpp_bad", url_path="leaked-link")
    def leaked_link(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """To the confirmation."""
        return HttpResponseRedirect(reverse("admin:iam_signingkey_leaked", args=[object_id]))

    def get_urls(self) -> list[URLPattern]:
        """The confirmations."""
        rotate, leaked = self.admin_site.admin_view(self.rotate), self.admin_site.admin_view(self.leaked)
        return [
            path("rotate/", rotate, name="iam_signingkey_rotate"),
            path("<uuid:key_id>/leaked/", leaked, name="iam_signingkey_leaked"),
            *super().get_urls(),
        ]

    def rotate(self, request: HttpRequest) -> HttpResponse:
        """Publish a new key."""

        def act(actor: Actor) -> str:
            made = signing.rotate_signing_key(actor=actor)
            return _("Published. It signs from %(time)s UTC.") % {"time": f"{made.signs_from:%H:%M}"}

        consequence = _(
            "The new key is shown to everybody at once and signs after ten minutes or what the settings say; the "
            "present one verifies until its last token has expired. Nobody is signed out."
        )
        return self._confirmed(request, _("Publish a new key"), consequence, act)

    def leaked(self, request: HttpRequest, key_id: UUID) -> HttpResponse:
        """Withdraw a key at once."""
        row = get_object_or_404(SigningKey, pk=key_id)

        def act(actor: Actor) -> Promise:
            signing.replace_leaked_key(actor=actor, kid=row.kid)
            return _("The key is withdrawn.")

        consequence = _(
            "This key verifies nothing any more from this moment; if it signs, the next one does from now on. Programs "
            "renew their tokens, and some requests may be refused for a minute. Nobody is signed out."
        )
        return self._confirmed(request, _("Withdraw the leaked key"), consequence, act, subtitle=row.kid)

    def _confirmed(
        self,
        request: HttpRequest,
        title: str | Promise,
        consequence: str | Promise,
        act: Callable[[Actor], str | Promise],
        *,
        subtitle: str = "",
    ) -> HttpResponse:
        """GET asks with the consequence, POST acts; operators who may only read cannot act."""
        back = reverse("admin:iam_signingkey_changelist")
        if request.method == "POST":
            actor = selectors.operator_of(request.user, origin_of(request, "WEB"))
            assert actor is not None, "the admin lets operators in only"
            try:
                messages.success(request, str(act(actor)))
            except DomainError as error:
                messages.error(request, error.detail)
            return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "subtitle": subtitle,
            "consequence": consequence,
            "opts": self.opts,
            "back": back,
        }
        return TemplateResponse(request, "admin/iam/signingkey/rotate.html", context)


def _views() -> dict[str, signing.SigningKeyView]:
    return {key.kid: key for key in signing.list_signing_keys()}
