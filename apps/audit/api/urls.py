"""REST routes of the audit app."""

from django.urls import path

from apps.audit.api.views import AuditDetail, AuditList

urlpatterns = [
    path("audit", AuditList.as_view(), name="audit-list"),
    path("audit/<uuid:entry_id>", AuditDetail.as_view(), name="audit-detail"),
]
