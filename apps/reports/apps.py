"""Reports: figures drawn from the other apps, for the dashboard and the search over everything."""

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "apps.reports"
    label = "reports"
