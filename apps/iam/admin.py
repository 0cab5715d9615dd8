"""People in the operators' admin."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin
from django.db.models import Field, QuerySet
from django.forms import ChoiceField, ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from apps.core.actor import Actor
from apps.iam import selectors, services
from apps.iam.models import Membership, PlatformRole, User
from apps.iam.origins import origin_of


class MembershipInline(TabularInline):
    """The organisations that a person belongs to; changed there, not here."""

    model = Membership
    extra = 0
    can_delete = False
    hide_title = True
    fields: ClassVar = ["tenant", "role", "status", "created_at"]
    readonly_fields: ClassVar = ["tenant", "role", "status", "created_at"]
    verbose_name_plural = _("memberships")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never here."""
        return False

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Membership]":
        """With the organisations' names in the same statement."""
        rows: QuerySet[Membership] = super().get_queryset(request)
        return rows.select_related("tenant")


@admin.register(User)
class UserAdmin(ModelAdmin):
    """Everybody who can sign in. Passwords are neither shown nor set; every change goes through a service."""

    list_display: ClassVar = ["email", "full_name", "state", "platform", "last_login", "created_at"]
    list_filter: ClassVar = ["is_active", "platform_role", "locale"]
    search_fields: ClassVar = ["email", "first_name", "last_name"]
    ordering: ClassVar = ["-created_at"]
    inlines: ClassVar[list[Any]] = [MembershipInline]
    readonly_fields: ClassVar = ["email", "email_verified_at", "last_login", "tokens_valid_after", "created_at"]
    fieldsets: ClassVar = [
        (None, {"fields": ["email", "first_name", "last_name", "locale"]}),
        (_("Access"), {"fields": ["is_active", "platform_role"]}),
        (_("History"), {"fields": ["email_verified_at", "last_login", "tokens_valid_after", "created_at"]}),
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

    def has_add_permission(self, request: HttpRequest) -> bool:
        """People sign up or are invited."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """People are switched off; their history stays."""
        return False

    def formfield_for_dbfield(self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        """The language is chosen among those that the product speaks."""
        if db_field.name == "locale":
            return ChoiceField(choices=settings.LANGUAGES, widget=UnfoldAdminSelectWidget, label=_("language"))
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """Nobody takes away his own access."""
        own = ["is_active", "platform_role"] if obj is not None and obj.pk == request.user.pk else []
        return [*self.readonly_fields, *own]

    def save_model(self, request: HttpRequest, obj: User, form: "ModelForm[User]", change: bool) -> None:
        """Hand the changed values to the service, which checks and audits."""
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        services.update_account(actor=_operator(request), user_id=obj.pk, changes=changes)


def _operator(request: HttpRequest) -> Actor:
    actor = selectors.operator_of(request.user, origin_of(request, "WEB"))
    assert actor is not None, "the admin lets operators in only"
    return actor
