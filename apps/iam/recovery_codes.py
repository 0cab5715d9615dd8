"""Recovery codes: ten for each person, each good once, kept as digests."""

import secrets
from datetime import datetime
from uuid import UUID

from django.db import connection

from apps.core import ids
from apps.iam.factor_models import RecoveryCode

COUNT = 10
# 16 of 31 signs are 79 bits: no slow hash is needed. No 0, 1, i, l, o, which are mistaken for one another.
_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"
_LENGTH, _GROUP = 16, 4

_SPEND = """
UPDATE public.iam_recovery_code SET used_at = %(now)s
 WHERE user_id = %(user)s AND digest = %(digest)s AND used_at IS NULL
RETURNING id
"""


def renew(user_id: UUID) -> list[str]:
    """Ten new codes, to be shown this once; the earlier ones are void."""
    RecoveryCode.objects.filter(user_id=user_id).delete()
    codes = [_new() for _ in range(COUNT)]
    RecoveryCode.objects.bulk_create(RecoveryCode(user_id=user_id, digest=_digest(user_id, code)) for code in codes)
    return codes


def spend(user_id: UUID, code: str, *, now: datetime) -> bool:
    """Use a code up; of many at once with one code exactly one succeeds."""
    with connection.cursor() as cursor:
        cursor.execute(_SPEND, {"now": now, "user": user_id, "digest": _digest(user_id, code)})
        return cursor.fetchone() is not None


def left(user_id: UUID) -> int:
    """How many are unused."""
    return RecoveryCode.objects.filter(user_id=user_id, used_at=None).count()


def clear(user_id: UUID) -> None:
    """Void all of them."""
    RecoveryCode.objects.filter(user_id=user_id).delete()


def _new() -> str:
    signs = "".join(secrets.choice(_SIGNS) for _ in range(_LENGTH))
    return "-".join(signs[at : at + _GROUP] for at in range(0, _LENGTH, _GROUP))


def _digest(user_id: UUID, code: str) -> str:
    plain = "".join(sign for sign in code.lower() if sign.isalnum())
    return ids.token_digest(f"recovery:{user_id}:{plain}")
