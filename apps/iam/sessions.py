"""Django's sessions in the database, for keys of the form that Django makes."""

from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions


class SessionStore(DatabaseSessions):
    """`SESSION_ENGINE` names this module."""

    def _validate_session_key(self, key: Any) -> bool:
        # A cookie may hold any byte, NUL too, which the database refuses to compare with.
        is_long_enough: bool = super()._validate_session_key(key)  # type: ignore[misc]
        return is_long_enough and key.isascii() and key.isalnum()
