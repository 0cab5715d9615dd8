"""Routes of the pages that close a workspace, on the tenant's host."""

from django.urls import path

from apps.iam import danger

app_name = "life"

urlpatterns = [
    path("", danger.zone, name="danger"),
    path("suspend/", danger.suspend, name="suspend"),
    path("reactivate/", danger.reactivate, name="reactivate"),
    path("delete/", danger.delete, name="delete"),
]
