"""Page routes of the audit app, on the tenant's host."""

from django.urls import path

from apps.audit import views

app_name = "audit"
urlpatterns = [
    path("", views.entry_list, name="list"),
    path("<uuid:entry_id>/", views.detail, name="detail"),
]
