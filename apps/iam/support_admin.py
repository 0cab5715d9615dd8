"""Two things operators do for one person in the admin: act in his name for some minutes, and give him a password."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from unfold.decorators import action
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from apps.core.actor import Actor
from apps.core.errors import DomainError
from apps.iam import api_keys, impersonating, redirects, selectors, temporary_passwords
from apps.iam.models import User
from apps.iam.origins import origin_of


class ImpersonateForm(forms.Form):
    """Whose workspace, why, and for how long."""

    tenant = forms.ChoiceField(label=_("Organisation"), widget=UnfoldAdminSelectWidget)
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}))
    minutes = forms.IntegerField(
        label=_("Minutes"),
        min_value=1,
        max_value=impersonating.MAX_MINUTES,
        initial=impersonating.MAX_MINUTES,
        widget=UnfoldAdminIntegerFieldWidget,
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["tenant"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            (str(found.tenant.id), f"{found.tenant.name} ({', '.join(found.roles)})")
            for found in selectors.workspaces_of(person.id)
        ]


class SupportActions:
    """What `UserAdmin` gets from here; each asks first, and PLATFORM_SUPPORT cannot do either."""

    admin_site: Any
    opts: Any

    @action(description=_("Act in the person's name"), icon="theater_comedy")
    def impersonate_link(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """To the confirmation."""
        return HttpResponseRedirect(reverse("admin:iam_user_impersonate", args=[object_id]))

    @action(description=_("Temporary password"), icon="password")
    def password_link(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """To the confirmation."""
        return HttpResponseRedirect(reverse("admin:iam_user_password", args=[object_id]))

    def support_urls(self) -> list[URLPattern]:
        """The confirmations, and where a tenant's host sends the operator's browser back to."""
        site = self.admin_site
        return [
            path("<uuid:user_id>/impersonate/", site.admin_view(self.impersonate), name="iam_user_impersonate"),
            path("impersonate/<uuid:row_id>/", site.admin_view(self.issue), name="iam_impersonation_issue"),
            path(
                "<uuid:user_id>/temporary-password/",
                never_cache(site.admin_view(self.temporary_password)),
                name="iam_user_password",
            ),
        ]

    def impersonate(self, request: HttpRequest, user_id: UUID) -> HttpResponse:
        """GET asks for the reason, POST goes to the tenant's host."""
        person = get_object_or_404(User, pk=user_id)
        form = ImpersonateForm(request.POST if request.method == "POST" else None, person=person)
        if request.method == "POST" and form.is_valid():
            try:
                row_id, tenant = impersonating.ask_to_impersonate(
                    actor=_operator(request),
                    user_id=user_id,
                    tenant_id=UUID(form.cleaned_data["tenant"]),
                    reason=form.cleaned_data["reason"],
                    minutes=form.cleaned_data["minutes"],
                )
            except DomainError as error:
                messages.error(request, error.detail)
                return _back(user_id)
            return HttpResponseRedirect(redirects.impersonation_begin_url(tenant, row_id))
        consequence = _(
            "You see and do what this person may in that organisation. Its owners get a letter with your name and the "
            "reason, and everything that you do stands in their audit trail. What is the person's own stays closed."
        )
        context = self._context(request, person, _("Act in the person's name"), consequence) | {"form": form}
        return TemplateResponse(request, "admin/iam/user/confirm.html", context)

    def issue(self, request: HttpRequest, row_id: UUID) -> HttpResponse:
        """The browser comes from the tenant's host with the digest of its secret, and goes back with a token."""
        try:
            tenant, token = impersonating.issue_token(
                actor=_operator(request), impersonation_id=row_id, browser=request.GET.get("browser", "")[:64]
            )
        except DomainError as error:
            messages.error(request, error.detail)
            return HttpResponseRedirect(reverse("admin:iam_user_changelist"))
        return HttpResponseRedirect(redirects.impersonation_url(tenant, token))

    def temporary_password(self, request: HttpRequest, user_id: UUID) -> HttpResponse:
        """GET asks, POST shows the password in its very answer: it is stored nowhere, not even for the next page."""
        person = get_object_or_404(User, pk=user_id)
        context = self._context(
            request,
            person,
            _("Temporary password"),
            _(
                "The present password stops to work and every device is signed out. You see the new one once; the "
                "person has to choose another at the next sign-in."
            ),
        )
        context["living_keys"] = api_keys.count_living(user_id=user_id)
        if request.method == "POST":
            try:
                context["password"] = temporary_passwords.set_temporary_password(
                    actor=_operator(request), user_id=user_id, with_keys="with_keys" in request.POST
                )
            except DomainError as error:
                messages.error(request, error.detail)
                return _back(user_id)
        return TemplateResponse(request, "admin/iam/user/password.html", context)

    def _context(self, request: HttpRequest, person: User, title: Any, consequence: Any) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": title,
            "subtitle": person.email,
            "consequence": consequence,
            "person": person,
            "opts": self.opts,
        }


def _operator(request: HttpRequest) -> Actor:
    actor = selectors.operator_of(request.user, origin_of(request, "WEB"))
    if actor is None:
        raise PermissionDenied
    return actor


def _back(user_id: UUID) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:iam_user_change", args=[user_id]))
