"""Page routes of the tenancy app, on the tenant's host."""

from django.urls import path

from apps.tenancy import views

urlpatterns = [path("", views.settings_page, name="settings")]
