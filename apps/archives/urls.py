"""Page routes of the archives app, on the tenant's host."""

from django.urls import path

from apps.archives import views

app_name = "archives"
urlpatterns = [
    path("", views.exports, name="exports"),
    path("new/", views.create, name="create"),
    path("<uuid:job_id>/download/", views.download, name="download"),
]
