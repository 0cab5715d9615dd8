"""Django's sessions in the database, for keys of the form that Django makes."""

from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions

from apps.core.tenants import public_scope


class SessionStore(DatabaseSessions):
    """`SESSION_ENGINE` names this module. The table is the platform's: no tenant's role may touch it."""

    def load(self) -> dict[str, Any]:
        """What the session holds; empty when there is none."""
        with public_scope():
            held: dict[str, Any] = super().load()
        return held

    def exists(self, session_key: str) -> bool:
        """Whether this key is taken."""
        with public_scope():
            return bool(super().exists(session_key))

    def save(self, must_create: bool = False) -> None:
        """Write the session; raises as Django's does."""
        with public_scope():
            super().save(must_create)

    def delete(self, session_key: str | None = None) -> None:
        """Forget the session."""
        with public_scope():
            super().delete(session_key)

    def _validate_session_key(self, key: Any) -> bool:
        # A cookie may hold any byte, NUL too, which the database refuses to compare with.
        is_long_enough: bool = super()._validate_session_key(key)  # type: ignore[misc]  # not in the stubs
        return is_long_enough and key.isascii() and key.isalnum()
