"""What every admin of the operators is made of: read-only lists, tenants' tables only inside a tenant, a reason."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.core.read_only import ReadOnlyAdmin
from apps.core.tenants import PUBLIC, current_scope
from apps.tenancy.operators import is_inside


class TenantModelAdmin(ReadOnlyAdmin):
    """Admin of a table that exists per tenant: 403 until the operator switched into one."""

    of_tenant = True

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Shown only inside a tenant."""
        return is_inside(request) and super().has_module_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Readable only inside a tenant."""
        return is_inside(request) and super().has_view_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        """The tenant's rows; the pages of one object look for it before they ask whether it may be seen.

        Raises:
            PermissionDenied: the operator is inside no tenant, so that there is no such table.
        """
        if current_scope() is PUBLIC:
            raise PermissionDenied
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows


class ReasonForm(forms.Form):
    """Why an operator does this; the tenant reads it in its audit trail."""

    reason = forms.CharField(max_length=300, widget=forms.Textarea(attrs={"rows": 3}))
