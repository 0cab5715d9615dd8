"""Secrets that must be read again (a client secret, a TOTP seed), encrypted for the database; keys can be rotated.

Fernet (AES-128-CBC with HMAC-SHA256). Every purpose has keys of its own, derived by HKDF, so that a sealed value moved
into another column or another row opens nowhere. `settings.SEALING_KEYS` holds the masters, the newest first: the first
seals, all of them open. Rotation: put a new key in front, run ``manage.py reseal``, take the old one out.
"""

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import models


class CannotUnseal(Exception):
    """None of the present keys opens the value, or it was sealed for another purpose."""


class SealedField(models.TextField):  # type: ignore[type-arg]  # generic in the stubs alone
    """A column of sealed values. It only marks them, for ``manage.py reseal``: rows in memory hold no plain secret."""


def purpose_of(row: models.Model, column: str) -> str:
    """What a `SealedField` of this row is sealed for; the row needs its key, which UUIDv7 rows have from the start."""
    return f"{row._meta.db_table}.{column}:{row.pk}"


def seal(text: str, *, purpose: str) -> str:
    """`text`, encrypted for `purpose`; for a `SealedField` take `purpose_of`."""
    return _fernet(purpose).encrypt(text.encode()).decode()


def unseal(sealed: str, *, purpose: str) -> str:
    """What was sealed for `purpose`, under any of the present keys.

    Raises:
        CannotUnseal: see there.
    """
    try:
        return _fernet(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise CannotUnseal(f"No key opens this value for {purpose}.") from error


def reseal(sealed: str, *, purpose: str) -> str:
    """The same secret under the newest key; its time of sealing stays. Raises as `unseal`."""
    try:
        return _fernet(purpose).rotate(sealed.encode()).decode()
    except InvalidToken as error:
        raise CannotUnseal(f"No key opens this value for {purpose}.") from error


def _fernet(purpose: str) -> MultiFernet:
    return _derived(tuple(settings.SEALING_KEYS), purpose)


@lru_cache(maxsize=512)
def _derived(masters: tuple[str, ...], purpose: str) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(_derive(master, purpose))) for master in masters])


def _derive(master: str, purpose: str) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=f"insula sealing {purpose}".encode()).derive(master.encode())
