"""People, their attempts to sign in and their lockouts in the operators' admin."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Field, QuerySet
from django.forms import ChoiceField, ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget

from apps.core.actor import Actor
from apps.core.errors import DomainError, PermissionRefused
from apps.core.read_only import ReadOnlyAdmin, ReadOnlyInline
from apps.iam import (  # noqa: F401 - some register their own
    api_key_admin,
    federation_admin,
    operating,
    selectors,
    services,
    signing_admin,
)
from apps.iam.attempt_models import AttemptOutcome, SignInAttempt, SignInGuard
from apps.iam.models import Invitation, InvitationState, Membership, PlatformRole, User
from apps.iam.origins import origin_of
from apps.iam.support_admin import SupportActions


class MembershipInline(ReadOnlyInline):
    """The organisations that a person belongs to; changed there, not here."""

    model = Membership
    hide_title = True
    fields: ClassVar = ["tenant", "role", "status", "created_at"]
    readonly_fields: ClassVar = ["tenant", "role", "status", "created_at"]
    verbose_name_plural = _("memberships")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Membership]":
        """With the organisations' names in the same statement."""
        rows: QuerySet[Membership] = super().get_queryset(request)
        return rows.select_related("tenant")


@admin.register(User)
class UserAdmin(SupportActions, ModelAdmin):
    """Everybody who can sign in. Passwords are neither shown nor set; every change goes through a service."""

    list_display: ClassVar = ["email", "full_name", "state", "platform", "last_login", "created_at"]
    list_filter: ClassVar = ["is_active", "platform_role", "locale"]
    search_fields: ClassVar = ["email", "first_name", "last_name"]
    ordering: ClassVar = ["-created_at"]
    inlines: ClassVar[list[Any]] = [MembershipInline]
    actions_detail: ClassVar[list[Any]] = [
        *("unlock_link", "verify_link", "ban_link", "unban_link"),
        {"title": _("Sign-in"), "items": ["reset_mfa_link", "sign_out_link", "password_link", "impersonate_link"]},
    ]
    readonly_fields: ClassVar = [
        *("email", "email_verified_at", "last_login", "tokens_valid_after", "created_at"),
        *("password_changed_at", "banned_at", "banned_until", "ban_reason"),
    ]
    fieldsets: ClassVar = [
        (None, {"fields": ["email", "first_name", "last_name", "locale"]}),
        (_("Access"), {"fields": ["is_active", "platform_role"]}),
        (_("Ban"), {"fields": ["banned_at", "banned_until", "ban_reason"]}),
        (
            _("History"),
            {
                "fields": [
                    *("email_verified_at", "last_login", "tokens_valid_after"),
                    *("password_changed_at", "created_at"),
                ]
            },
        ),
    ]

    @display(description=_("name"), ordering="first_name")
    def full_name(self, user: User) -> str:
        """First and last name."""
        return f"{user.first_name} {user.last_name}".strip()

    @display(description=_("status"), label={True: "success", False: "danger"}, ordering="is_active")
    def state(self, user: User) -> tuple[bool, Any]:
        """Whether the person may sign in, as a coloured label."""
        return user.is_active, _("Active") if user.is_active else _("Inactive")

    @display(description=_("operator"), label={PlatformRole.PLATFORM_ADMIN: "warning"}, ordering="platform_role")
    def platform(self, user: User) -> tuple[str, Any] | str:
        """The platform role, for the few who have one."""
        return (user.platform_role, user.get_platform_role_display()) if user.platform_role else ""

    @action(description=_("Unlock"), icon="lock_open")
    def unlock_link(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """To the confirmation."""
        return _confirmation(object_id, "unlock")

    @action(description=_("Confirm the address"), icon="mark_email_read")
    def verify_link(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """To the confirmation."""
        return _confirmation(object_id, "verify")

    @action(description=_("Ban"), icon="block")
    def ban_link(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """To the confirmation."""
        return _confirmation(object_id, "ban")

    @action(description=_("Unban"), icon="undo")
    def unban_link(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """To the confirmation."""
        return _confirmation(object_id, "unban")

    @action(description=_("Reset second factors"), icon="phonelink_erase")
    def reset_mfa_link(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """To the confirmation."""
        return _confirmation(object_id, "reset-mfa")

    @action(description=_("Sign out everywhere"), icon="logout")
    def sign_out_link(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """To the confirmation."""
        return _confirmation(object_id, "sign-out")

    def get_urls(self) -> list[URLPattern]:
        """The confirmation of each action."""
        view = self.admin_site.admin_view(self.confirm)
        return [
            path("<uuid:user_id>/confirm/<str:verb>/", view, name="iam_user_confirm"),
            *self.support_urls(),
            *super().get_urls(),
        ]

    def confirm(self, request: HttpRequest, user_id: Any, verb: str) -> HttpResponse:
        """GET asks with the consequence, POST acts; operators who may only read cannot act."""
        person = get_object_or_404(User, pk=user_id)
        found = operating.VERBS.get(verb)
        if found is None:
            return HttpResponseRedirect(reverse("admin:iam_user_changelist"))
        form = found.form(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                if not request.user.has_perm("iam.change_user"):
                    raise PermissionRefused(str(_("Your role may only read.")))
                told = found.act(_operator(request), person, form.cleaned_data)
            except DomainError as error:
                messages.error(request, error.detail)
            else:
                messages.success(request, str(told or f"{found.title}: {person.email}"))
            return HttpResponseRedirect(reverse("admin:iam_user_change", args=[user_id]))
        context = {
            **self.admin_site.each_context(request),
            "title": found.title,
            "subtitle": person.email,
            "consequence": found.consequence,
            "person": person,
            "form": form,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/iam/user/confirm.html", context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """People sign up or are invited."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """People are switched off; their history stays."""
        return False

    def formfield_for_dbfield(self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        """The language is chosen among those that the product speaks."""
        if db_field.name == "locale":
            return ChoiceField(choices=settings.LANGUAGES, widget=UnfoldAdminSelectWidget, label=_("Language"))
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """Nobody takes away his own access."""
        own = ["is_active", "platform_role"] if obj is not None and obj.pk == request.user.pk else []
        return [*self.readonly_fields, *own]

    def save_model(self, request: HttpRequest, obj: User, form: "ModelForm[User]", change: bool) -> None:
        """Hand the changed values to the service, which checks and audits."""
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        services.update_account(actor=_operator(request), user_id=obj.pk, changes=changes)


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """Who was invited where, and what came of it; the token is not here."""

    list_display: ClassVar = ["created_at", "email", "tenant", "role", "invited_by_name", "expires_at", "outcome"]
    list_filter: ClassVar = ["role"]
    list_select_related: ClassVar = ["tenant"]
    search_fields: ClassVar = ["email", "tenant__name", "invited_by_name"]
    ordering: ClassVar = ["-created_at"]
    exclude: ClassVar = ["digest"]

    @display(
        description=_("status"),
        label={"ACCEPTED": "success", "PENDING": "info", "REVOKED": "danger", "EXPIRED": "warning"},
    )
    def outcome(self, invitation: Invitation) -> tuple[str, Any]:
        """Whether it waits, was accepted or revoked, or ran out."""
        return invitation.state, InvitationState(invitation.state).label


@admin.register(SignInAttempt)
class SignInAttemptAdmin(ReadOnlyAdmin):
    """Who tried to sign in, from where, and what came of it."""

    list_display: ClassVar = ["occurred_at", "email", "result", "ip", "user_agent"]
    list_filter: ClassVar = ["outcome"]
    search_fields: ClassVar = ["email", "ip"]
    ordering: ClassVar = ["-occurred_at"]

    @display(
        description=_("outcome"),
        label={
            "SUCCESS": "success",
            "WRONG": "warning",
            "WRONG_CODE": "warning",
            "INACTIVE": "warning",
            "LOCKED": "danger",
        },
        ordering="outcome",
    )
    def result(self, attempt: SignInAttempt) -> tuple[str, str]:
        """What came of it, as a coloured label."""
        return attempt.outcome, str(AttemptOutcome(attempt.outcome).label)


@admin.register(SignInGuard)
class SignInGuardAdmin(ReadOnlyAdmin):
    """E-mails with recent failures, also those that nobody has an account with, and the way to unlock them."""

    list_display: ClassVar = ["email", "recent_failures", "locked_until", "updated_at"]
    search_fields: ClassVar = ["email"]
    ordering: ClassVar = ["-updated_at"]
    actions: ClassVar = ["unlock_selected"]

    @display(description=_("recent failures"))
    def recent_failures(self, guard: SignInGuard) -> int:
        """How many count towards the next lock."""
        return len(guard.failed_at)

    @admin.action(description=_("Unlock"), permissions=["unlock"])
    def unlock_selected(self, request: HttpRequest, rows: "QuerySet[SignInGuard]") -> None:
        """Open each of them at once."""
        for guard in rows:
            services.unlock(actor=_operator(request), email=guard.email)
        messages.success(request, _("The addresses may sign in again."))

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        """Operators who may change things."""
        return request.user.has_perm("iam.change_user")


def _confirmation(user_id: str, verb: str) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:iam_user_confirm", args=[user_id, verb]))


def _operator(request: HttpRequest) -> Actor:
    actor = selectors.operator_of(request.user, origin_of(request, "WEB"))
    assert actor is not None, "the admin lets operators in only"
    return actor
