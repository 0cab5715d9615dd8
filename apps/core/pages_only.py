"""Middleware of pages, past which the REST API's requests go: those have no session, no form and no message to show."""

from http import HTTPStatus
from typing import Any

from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest, HttpResponseBase
from django.middleware import common
from django.utils.deprecation import MiddlewareMixin

API_PREFIX = "/api/v1/"
# Their answers say nothing of a length (RFC 9110, 8.6).
BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


class _PagesOnly(MiddlewareMixin):
    """Stands before a middleware of Django's."""

    def __call__(self, request: HttpRequest) -> Any:
        """What the middleware behind makes of a page; programs go on at once."""
        if request.path_info.startswith(API_PREFIX):
            return self.get_response(request)
        return super().__call__(request)


class SessionMiddleware(_PagesOnly, sessions.SessionMiddleware):
    """The browser's session."""


class CommonMiddleware(_PagesOnly, common.CommonMiddleware):
    """Slashes at the end of paths, for which it looks each path up that has none; lengths of answers."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Its length, unless it can have no body."""
        response = super().process_response(request, response)
        if response.status_code in BODILESS:
            del response["Content-Length"]
        return response


class AuthenticationMiddleware(_PagesOnly, auth.AuthenticationMiddleware):
    """The operator behind the admin's session."""

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        """Nothing: which page needs a sign-in, its view says."""


class MessageMiddleware(_PagesOnly, messages.MessageMiddleware):
    """What the next page tells."""
