"""What the next page tells: in a cookie of this host alone, in the session where that would be too long."""

from typing import Any

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class NamedCookieStorage(CookieStorage):
    """Django's, under the name that the settings give it (``MESSAGES_COOKIE_NAME``)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cookie_name = settings.MESSAGES_COOKIE_NAME


class MessageStorage(FallbackStorage):
    """``MESSAGE_STORAGE`` names this class."""

    storage_classes = (NamedCookieStorage, SessionStorage)
