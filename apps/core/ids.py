"""Identifiers: UUIDv7 for rows, short keys and unguessable tokens for people and links."""

import hashlib
import secrets
import string
import uuid

import uuid6

_KEY_ALPHABET = string.ascii_lowercase + string.digits
# No vowels and nothing that reads like another sign: names made of it spell no words.
_NAME_ALPHABET = "bcdfghjkmnpqrstvwxz23456789"


def uuid7() -> uuid.UUID:
    """A time-ordered UUID (RFC 9562 version 7); index-friendly and sortable by creation."""
    return uuid.UUID(int=uuid6.uuid7().int)


def tenant_key() -> str:
    """Eight characters of ``[a-z0-9]``, a tenant's public and immutable key (PRODUCT, ids)."""
    return "".join(secrets.choice(_KEY_ALPHABET) for _ in range(8))


def schema_name() -> str:
    """An opaque schema name: ``t_`` and 16 characters, telling nothing of the tenant that lives in it."""
    return "t_" + "".join(secrets.choice(_NAME_ALPHABET) for _ in range(16))


def secret_token() -> str:
    """A URL-safe token with 256 bits of entropy."""
    return secrets.token_urlsafe(32)


def token_digest(token: str) -> str:
    """What is stored of a token: its SHA-256 in hex. High-entropy input needs no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()
