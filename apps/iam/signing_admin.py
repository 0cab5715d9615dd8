"""Signing keys in the operators' admin: what there is and what comes when, and the start of a rotation."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from apps.core.errors import DomainError
from apps.iam import selectors, signing
from apps.iam.origins import origin_of
from apps.iam.signing_models import SigningKey


@admin.register(SigningKey)
class SigningKeyAdmin(ModelAdmin):
    """Read-only; private keys are not here."""

    list_display: ClassVar = ["kid", "state", "published_at", "signs_from", "until"]
    fields: ClassVar = ["kid", "public_pem", "published_at", "signs_from", "withdrawn_at"]
    ordering: ClassVar = ["-signs_from"]
    actions_list: ClassVar = ["rotate_link"]

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

    def get_urls(self) -> list[URLPattern]:
        """The confirmation."""
        view = self.admin_site.admin_view(self.rotate)
        return [path("rotate/", view, name="iam_signingkey_rotate"), *super().get_urls()]

    def rotate(self, request: HttpRequest) -> HttpResponse:
        """GET asks with the consequence, POST acts; operators who may only read cannot act."""
        back = reverse("admin:iam_signingkey_changelist")
        if request.method == "POST":
            actor = selectors.operator_of(request.user, origin_of(request, "WEB"))
            assert actor is not None, "the admin lets operators in only"
            try:
                made = signing.rotate_signing_key(actor=actor)
            except DomainError as error:
                messages.error(request, error.detail)
            else:
                messages.success(
                    request, _("Published. It signs from %(time)s UTC.") % {"time": f"{made.signs_from:%H:%M}"}
                )
            return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Publish a new key"),
            "consequence": _(
                "The new key is shown to everybody at once and signs after ten minutes or what the settings say; the "
                "present one verifies until its last token has expired. Nobody is signed out."
            ),
            "opts": self.opts,
            "back": back,
        }
        return TemplateResponse(request, "admin/iam/signingkey/rotate.html", context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only by a rotation."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: an old token's key must stay known."""
        return False


def _views() -> dict[str, signing.SigningKeyView]:
    return {key.kid: key for key in signing.list_signing_keys()}
