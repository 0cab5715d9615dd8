"""The platform's routes and the bare view."""

from django.urls import path

from config.urls_public import handler400, handler403, handler404, handler500
from config.urls_public import urlpatterns as platform
from tests.bench.bare import invoices

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [path("bare/<slug:schema>", invoices), *platform]
