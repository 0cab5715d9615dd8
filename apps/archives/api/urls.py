"""REST routes of the archives app."""

from django.urls import path

from apps.archives.api.views import ExportDetailView, ExportDownloadView, ExportsView

urlpatterns = [
    path("tenant/exports", ExportsView.as_view(), name="export-list"),
    path("tenant/exports/<uuid:job_id>", ExportDetailView.as_view(), name="export-detail"),
    path("tenant/exports/<uuid:job_id>/download", ExportDownloadView.as_view(), name="export-download"),
]
