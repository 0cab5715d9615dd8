"""Which state of a thing somebody edited: a change made to another state than the present one is refused.

A version is a digest of what people edit, so it needs no column, cannot be forgotten by a new way of writing, and is
the same again when a thing was changed and changed back: nothing would be lost then. Services take the versions that
the caller may have seen as ``expected`` and call `require` after they locked the row, in the same transaction.
"""

import json
from collections.abc import Collection, Mapping
from hashlib import blake2b
from typing import Any

from django.utils.translation import gettext as _

from apps.core.errors import DomainError

# None: whoever changes it did not say what he saw, and overwrites.
Expected = Collection[str] | None


class VersionConflict(DomainError):
    """Somebody changed it since the caller read it; `present` is the version now."""

    code, status, title = "version_conflict", 412, "This was changed in the meantime"

    def __init__(self, present: str) -> None:
        super().__init__(_("Somebody changed this in the meantime. Load it again, then repeat your change."))
        self.present = present


def version_of(state: Mapping[str, Any]) -> str:
    """The version of `state`, the values that people edit: 20 hexadecimal digits."""
    text = json.dumps(state, sort_keys=True, default=str, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=10).hexdigest()


def require(expected: Expected, present: str) -> None:
    """Go on if the caller saw the present version, or said nothing of what he saw.

    Raises:
        VersionConflict: he saw another one.
    """
    if expected is not None and present not in expected:
        raise VersionConflict(present)
