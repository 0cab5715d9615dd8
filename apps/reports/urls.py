"""Page routes of the reports app."""

from django.urls import path

from apps.reports import views

urlpatterns = [
    path("", views.dashboard, name="dashboard"),
    path("search/", views.palette, name="palette"),
]
