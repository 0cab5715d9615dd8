"""Rotating the keys that sign access tokens: publish, sign, retire; each step comes by the clock."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core.actor import Actor
from apps.core.clock import utcnow
from apps.core.errors import IllegalState, NotFound
from apps.core.sealing import purpose_of, seal
from apps.core.tenants import public_scope
from apps.iam.keys import SKEW, keys, settings_key, thumbprint, verifies_until
from apps.iam.signing_models import SigningKey

KEY_BITS = 2048
# Rotations take turns; reading goes on.
_ONE_AT_A_TIME = "LOCK TABLE public.iam_signing_key IN SHARE ROW EXCLUSIVE MODE"


class KeyState(models.TextChoices):
    """Where a key stands; follows from the moments."""

    PUBLISHED = "PUBLISHED", gettext_lazy("Published, signs later")
    SIGNING = "SIGNING", gettext_lazy("Signs")
    VERIFYING = "VERIFYING", gettext_lazy("Verifies what it signed")
    RETIRED = "RETIRED", gettext_lazy("Retired")
    WITHDRAWN = "WITHDRAWN", gettext_lazy("Withdrawn")


@dataclass(frozen=True, slots=True)
class SigningKeyView:
    """One key and its times; `verifies_until` is empty while no newer one is to follow."""

    kid: str
    state: KeyState
    published_at: datetime
    signs_from: datetime
    verifies_until: datetime | None


def list_signing_keys(*, now: datetime | None = None) -> list[SigningKeyView]:
    """Every key there ever was, the newest first; before the first rotation none is listed."""
    moment = now or utcnow()
    with public_scope():
        rows = list(SigningKey.objects.order_by("signs_from"))
    return [_view(rows, row, moment) for row in reversed(rows)]


def rotate_signing_key(*, actor: Actor, lead: timedelta | None = None, now: datetime | None = None) -> SigningKeyView:
    """Publish a new key, which signs after `lead` (``SIGNING_KEY_LEAD_SECONDS``): others have read it by then.

    The one before verifies until its last token has expired. Private keys that sign no more are erased.

    Raises:
        PermissionRefused: the actor lacks ``platform:write``.
        IllegalState: a key is published already and does not sign yet.
    """
    actor.require("platform:write")
    moment = now or utcnow()
    wait = timedelta(seconds=settings.SIGNING_KEY_LEAD_SECONDS) if lead is None else lead
    # Every process knows the key before the first of them signs with it.
    wait = max(wait, timedelta(seconds=settings.SIGNING_KEYS_RELOAD_SECONDS))
    with public_scope(), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_ONE_AT_A_TIME)
        rows = list(SigningKey.objects.order_by("signs_from"))
        if any(row.signs_from > moment and not row.withdrawn_at for row in rows):
            raise IllegalState(_("A new key is published already and signs soon."), allowed_actions=["wait"])
        if not rows:
            _adopt_settings_key(moment)
        _erase_retired(rows, moment)
        row = _new_key(moment, signs_from=moment + wait)
        _record(actor, row, "iam.signing_key.rotate", {"signs_from": row.signs_from.isoformat()})
        rows = list(SigningKey.objects.order_by("signs_from"))
    keys.forget()
    return _view(rows, row, moment)


def withdraw_signing_key(*, actor: Actor, kid: str, now: datetime | None = None) -> None:
    """Let a key verify nothing any more, at once here and within ``SIGNING_KEYS_RELOAD_SECONDS`` elsewhere: it leaked.

    Raises:
        PermissionRefused: the actor lacks ``platform:write``.
        NotFound: there is no such key.
        IllegalState: no other key is in force that could sign instead.
    """
    actor.require("platform:write")
    moment = now or utcnow()
    with public_scope(), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_ONE_AT_A_TIME)
        row = SigningKey.objects.filter(kid=kid, withdrawn_at=None).first()
        if row is None:
            raise NotFound(_("There is no such key."))
        others = SigningKey.objects.filter(withdrawn_at=None, signs_from__lte=moment).exclude(kid=kid)
        if not others.filter(~Q(private_sealed="") | Q(kid=settings_key()[0])).exists():
            raise IllegalState(_("Rotate first: no other key could sign."), allowed_actions=["rotate"])
        _withdraw(actor, row, moment)
    keys.forget()


def replace_leaked_key(*, actor: Actor, kid: str, now: datetime | None = None) -> None:
    """Withdraw a key and, if it signs, let the next one sign from this moment: the published one, or one made now.

    Nothing is waited for. Until others have read the new key (``SIGNING_KEYS_RELOAD_SECONDS`` here, its own time
    elsewhere) some requests may be refused; programs renew their tokens, nobody is signed out.

    Raises:
        PermissionRefused: the actor lacks ``platform:write``.
        NotFound: there is no such key.
    """
    actor.require("platform:write")
    moment = now or utcnow()
    with public_scope(), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_ONE_AT_A_TIME)
        if not SigningKey.objects.exists() and kid == settings_key()[0]:
            _adopt_settings_key(moment)
        alive = list(SigningKey.objects.filter(withdrawn_at=None).order_by("signs_from"))
        leaked = next((row for row in alive if row.kid == kid), None)
        if leaked is None:
            raise NotFound(_("There is no such key."))
        if [row for row in alive if row.signs_from <= moment][-1:] == [leaked]:
            _sign_at_once(actor, alive, leaked, moment)
        _withdraw(actor, leaked, moment)
    keys.forget()


def _sign_at_once(actor: Actor, alive: list[SigningKey], leaked: SigningKey, now: datetime) -> None:
    # A server whose clock is behind must find it in force, too.
    signs_from = max(now - SKEW, leaked.signs_from + timedelta(microseconds=1))
    row = next((row for row in alive if row.signs_from > now), None)
    if row is None:
        row = _new_key(now, signs_from=signs_from)
    else:
        row.signs_from = signs_from
        row.save(update_fields=["signs_from"])
    _record(actor, row, "iam.signing_key.rotate", {"signs_from": row.signs_from.isoformat()})


def _withdraw(actor: Actor, row: SigningKey, now: datetime) -> None:
    row.withdrawn_at, row.private_sealed = now, ""
    row.save(update_fields=["withdrawn_at", "private_sealed"])
    _record(actor, row, "iam.signing_key.withdraw", None)


def _new_key(now: datetime, *, signs_from: datetime) -> SigningKey:
    private = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    row = SigningKey(kid=thumbprint(private.public_key()), public_pem=_pem(private.public_key()))
    row.private_sealed = seal(pem.decode(), purpose=purpose_of(row, "private_sealed"))
    row.published_at, row.signs_from = now, signs_from
    row.save(force_insert=True)
    return row


def _adopt_settings_key(now: datetime) -> None:
    kid, private = settings_key()
    public = private.public_key()
    # It has signed for long; the moment only orders it before all others.
    SigningKey.objects.create(kid=kid, public_pem=_pem(public), published_at=now, signs_from=now - timedelta(days=1))


def _erase_retired(rows: list[SigningKey], now: datetime) -> None:
    for row in rows:
        until = verifies_until(rows, row)
        if row.private_sealed and until is not None and until <= now:
            row.private_sealed = ""
            row.save(update_fields=["private_sealed"])


def _view(rows: list[SigningKey], row: SigningKey, now: datetime) -> SigningKeyView:
    until = verifies_until(rows, row)
    alive = [other for other in rows if not other.withdrawn_at and other.signs_from <= now]
    if row.withdrawn_at:
        state = KeyState.WITHDRAWN
    elif row.signs_from > now:
        state = KeyState.PUBLISHED
    elif alive[-1].kid == row.kid:
        state = KeyState.SIGNING
    else:
        state = KeyState.RETIRED if until is not None and until <= now else KeyState.VERIFYING
    return SigningKeyView(row.kid, state, row.published_at, row.signs_from, until)


def _pem(public: rsa.RSAPublicKey) -> str:
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def _record(actor: Actor, row: SigningKey, action: str, after: dict[str, object] | None) -> None:
    audit.record(
        actor=actor,
        action=action,
        entity_type="signing_key",
        entity_id=row.id,
        entity_label=row.kid,
        after=after,
        severity=Severity.CRITICAL,
    )
