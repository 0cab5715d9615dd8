"""Routes on the platform's host when one workspace is all there is: that workspace's, and the platform's own."""

from typing import Any

from django.urls import include, path, reverse_lazy
from django.views.generic import RedirectView

from apps.iam import urls as iam
from apps.iam import urls_platform as iam_platform
from config import urls_public, urls_tenant
from config.urls_public import everywhere, handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

# There is nothing to pick.
_LEFT_OUT = {"workspaces", "landing"}


def _others(patterns: list[Any]) -> list[Any]:
    return [
        pattern
        for pattern in patterns
        if getattr(pattern, "app_name", None) != iam.app_name
        and getattr(pattern, "name", None) not in _LEFT_OUT
        and pattern not in everywhere
    ]


_of_tenant = {pattern.name for pattern in iam.urlpatterns if hasattr(pattern, "name")}
_signing_up = [
    pattern for pattern in iam_platform.urlpatterns if getattr(pattern, "name", None) not in _of_tenant | _LEFT_OUT
]

urlpatterns = [
    path("", include(([*iam.urlpatterns, *_signing_up], iam.app_name))),
    *_others(urls_tenant.urlpatterns),
    *_others(urls_public.urlpatterns),
    path("welcome/", RedirectView.as_view(url=reverse_lazy("dashboard")), name="landing"),
    *everywhere,
]
