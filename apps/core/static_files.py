"""Static files from the web process, without a detour for everything else."""

from collections.abc import Callable
from functools import cached_property

from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from servestatic.middleware import ServeStaticMiddleware

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class StaticFilesMiddleware:
    """Hands paths below ``STATIC_URL`` to servestatic.

    servestatic's own middleware is a coroutine: in the chain itself, it would have every request change between
    threads and event loops several times, which costs more than the request.
    """

    sync_capable, async_capable = True, False

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The file, or what the rest of the chain answers."""
        if request.path_info.startswith(settings.STATIC_URL):
            return self._serve(request)
        return self.get_response(request)

    @cached_property
    def _serve(self) -> GetResponse:
        # It looks at every file there is, so not before the first is asked for.
        return async_to_sync(ServeStaticMiddleware(sync_to_async(self.get_response)))
