"""Passkeys (WebAuthn level 3): the ceremonies that add one and that prove its person. User verification is a must.

The relying party is the platform's apex domain, so that one passkey serves the platform's host and every workspace's
sub-domain; a workspace's own domain cannot use it (WebAuthn, 5.1.3) and sends people to the sub-domain. Where the
platform's host has no dot (``localhost``), browsers let no sub-domain speak for it, and each host stands for itself.
"""

import json
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from apps.core.actor import Actor
from apps.core.clock import utcnow
from apps.core.errors import Conflict, NotFound, ValidationFailed
from apps.core.tenants import public_scope
from apps.iam import factors, signins, standing
from apps.iam.errors import PasskeyRefused
from apps.iam.events import MfaChange
from apps.iam.factor_models import CeremonyPurpose, Passkey, PasskeyCeremony
from apps.iam.factors import PasskeyView
from apps.iam.models import User
from apps.iam.proofs import PASSKEY, SYNCED_PASSKEY

LIFETIME = timedelta(minutes=5)
MAX_PASSKEYS = 20
# What a made-up answer runs into.
_UNSOUND = (WebAuthnException, ValueError, KeyError, TypeError, AttributeError)
_TRANSPORTS = {item.value for item in AuthenticatorTransport}

_TAKE = """
DELETE FROM public.iam_passkey_ceremony
 WHERE id = %(id)s AND bound_to = %(bound_to)s AND purpose = %(purpose)s AND expires_at > %(now)s
   AND user_id IS NOT DISTINCT FROM %(user)s
RETURNING challenge
"""


def begin_registration(*, actor: Actor, bound_to: str, host: str) -> dict[str, Any]:
    """What the browser's ``navigator.credentials.create`` is called with on `host`, and the ceremony's id.

    Raises:
        Conflict: the person has twenty.
    """
    with public_scope(), transaction.atomic():
        user = User.objects.get(pk=standing.person(actor))
        known = list(Passkey.objects.filter(user=user))
        if len(known) >= MAX_PASSKEYS:
            raise Conflict(_("You have %(count)d passkeys. Remove one first.") % {"count": MAX_PASSKEYS})
        options = generate_registration_options(
            rp_id=relying_party(host),
            rp_name="Insula",
            user_id=user.id.bytes,
            user_name=user.email,
            user_display_name=user.name,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[_descriptor(row) for row in known],
            timeout=_milliseconds(),
        )
        return _begun(CeremonyPurpose.REGISTER, user.id, bound_to, options.challenge, options_to_json(options))


def finish_registration(
    *, actor: Actor, family_id: UUID | None, ceremony: UUID, bound_to: str, credential: dict[str, Any], name: str
) -> tuple[PasskeyView, list[str]]:
    """Keep the new passkey; the present sign-in counts as strong from now on, others without a second factor end.

    Runs outside any transaction of the caller's, so that a challenge stays used up.

    Returns:
        The passkey, and recovery codes, to be shown this once, if the person had none.

    Raises:
        InvalidToken: the present sign-in has ended since the request was let in.
        PasskeyRefused: the ceremony is unknown, used or over, or the answer does not hold.
        ValidationFailed: no name.
        Conflict: this passkey is known already.
    """
    name = _checked_name(name)
    challenge = _take(ceremony, bound_to, CeremonyPurpose.REGISTER, standing.person(actor))
    try:
        origin = _origin_of(credential)
        made = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=relying_party(origin),
            expected_origin=origin,
            require_user_verification=True,
        )
    except _UNSOUND as error:
        raise PasskeyRefused(_("The passkey could not be added. Try again.")) from error
    with public_scope(), transaction.atomic():
        user = signins.locked_person_of(family_id, standing.person(actor))
        row = _insert(
            Passkey(
                user=user,
                name=name,
                credential_id=made.credential_id,
                public_key=made.credential_public_key,
                sign_count=made.sign_count,
                transports=_transports(credential),
                is_synced=made.credential_device_type == CredentialDeviceType.MULTI_DEVICE,
            )
        )
        signins.prove_again(family_id, methods=(_word_for(row),), is_strong=True, now=utcnow())
        codes = factors.enrolled(actor, user, MfaChange.PASSKEY_ADDED, keep=family_id, detail=row.name)
        return PasskeyView(row.id, row.name, row.is_synced, row.created_at, None), codes


def begin_proof(*, user_id: UUID | None, bound_to: str, host: str) -> dict[str, Any]:
    """What the browser's ``navigator.credentials.get`` is called with on `host`, and the ceremony's id.

    Without `user_id` the browser offers every passkey that it has for us, so that nothing is told about anybody.
    """
    with public_scope(), transaction.atomic():
        known = list(Passkey.objects.filter(user_id=user_id)) if user_id else []
        options = generate_authentication_options(
            rp_id=relying_party(host),
            allow_credentials=[_descriptor(row) for row in known] or None,
            user_verification=UserVerificationRequirement.REQUIRED,
            timeout=_milliseconds(),
        )
        purpose = CeremonyPurpose.PROVE if user_id else CeremonyPurpose.SIGN_IN
        return _begun(purpose, user_id, bound_to, options.challenge, options_to_json(options))


def finish_proof(
    *,
    ceremony: UUID,
    bound_to: str,
    purpose: CeremonyPurpose,
    credential: dict[str, Any],
    user_id: UUID | None = None,
) -> Passkey:
    """The passkey that answered; its counter has moved on.

    Runs outside any transaction of the caller's, so that a challenge stays used up.

    Raises:
        PasskeyRefused: unknown, another person's, late, a counter that went back, or the answer does not hold.
    """
    challenge = _take(ceremony, bound_to, purpose, user_id)
    refusal = PasskeyRefused(_("This passkey was not accepted. Try again."))
    with public_scope(), transaction.atomic():
        try:
            rows = Passkey.objects.select_for_update().filter(credential_id=base64url_to_bytes(str(credential["id"])))
            row = (rows.filter(user_id=user_id) if user_id else rows).first()
            if row is None:
                raise refusal
            origin = _origin_of(credential)
            checked = verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=relying_party(origin),
                expected_origin=origin,
                credential_public_key=bytes(row.public_key),
                credential_current_sign_count=row.sign_count,
                require_user_verification=True,
            )
            handle = credential["response"].get("userHandle")
        except _UNSOUND as error:
            raise refusal from error
        if handle and handle != bytes_to_base64url(row.user_id.bytes):
            raise refusal
        row.sign_count, row.last_used_at = checked.new_sign_count, utcnow()
        row.save(update_fields=["sign_count", "last_used_at"])
        return row


def rename(*, actor: Actor, passkey_id: UUID, name: str) -> PasskeyView:
    """Call one of one's passkeys something else.

    Raises:
        NotFound: it is nobody's, or somebody else's.
        ValidationFailed: no name.
    """
    name = _checked_name(name)
    with public_scope(), transaction.atomic():
        row = _own(actor, passkey_id)
        row.name = name
        row.save(update_fields=["name"])
        return PasskeyView(row.id, row.name, row.is_synced, row.created_at, row.last_used_at)


def remove(*, actor: Actor, family_id: UUID | None, passkey_id: UUID) -> None:
    """Forget one of one's passkeys; other sign-ins than the present one that showed it, or one of its kind, end.

    Raises:
        InvalidToken: as `finish_registration`.
        NotFound: it is nobody's, or somebody else's.
    """
    with public_scope(), transaction.atomic():
        user = signins.locked_person_of(family_id, standing.person(actor))
        row = _own(actor, passkey_id)
        row.delete()
        word = _word_for(row)
        factors.removed(actor, user, MfaChange.PASSKEY_REMOVED, words=(word,), keep=family_id, detail=row.name)


def relying_party(place: str) -> str:
    """Whom a passkey is for on the host or origin `place`."""
    host = urlsplit(place if "//" in place else f"//{place}").hostname or ""
    return settings.PLATFORM_HOST if "." in settings.PLATFORM_HOST else host


def purge_ceremonies(*, now: datetime) -> None:
    """Delete challenges that nobody answered in time."""
    PasskeyCeremony.objects.filter(expires_at__lt=now).delete()


def _word_for(row: Passkey) -> str:
    return SYNCED_PASSKEY if row.is_synced else PASSKEY


def _checked_name(name: str) -> str:
    name = " ".join(name.split())[:60]
    if not name:
        raise ValidationFailed.one("name", "required", _("Give the passkey a name that you will recognise."))
    return name


def _own(actor: Actor, passkey_id: UUID) -> Passkey:
    row = Passkey.objects.select_for_update().filter(pk=passkey_id, user_id=standing.person(actor)).first()
    if row is None:
        raise NotFound(_("There is no such passkey."))
    return row


def _insert(row: Passkey) -> Passkey:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(_("This passkey is known already.")) from error
    return row


def _begun(
    purpose: CeremonyPurpose, user_id: UUID | None, bound_to: str, challenge: bytes, options: str
) -> dict[str, Any]:
    PasskeyCeremony.objects.filter(bound_to=bound_to, purpose=purpose).delete()
    row = PasskeyCeremony.objects.create(
        user_id=user_id, purpose=purpose, challenge=challenge, bound_to=bound_to, expires_at=utcnow() + LIFETIME
    )
    return {"ceremony": str(row.id), "options": json.loads(options)}


def _take(ceremony: UUID, bound_to: str, purpose: CeremonyPurpose, user_id: UUID | None) -> bytes:
    """The challenge of a ceremony, which nobody gets again even if its answer is refused."""
    values: dict[str, UUID | str | datetime | None] = {
        "id": ceremony,
        "bound_to": bound_to,
        "purpose": purpose.value,
        "user": user_id,
        "now": utcnow(),
    }
    with public_scope(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_TAKE, values)
        row = cursor.fetchone()
    if row is None:
        raise PasskeyRefused(_("This took too long, or was begun elsewhere. Try again."))
    return bytes(row[0])


def _origin_of(credential: dict[str, Any]) -> str:
    """The web origin that the browser says it was asked on, if it is one of ours.

    Raises:
        PasskeyRefused: another site's.
    """
    said = json.loads(base64url_to_bytes(str(credential["response"]["clientDataJSON"])))["origin"]
    host = urlsplit(str(said)).hostname or ""
    is_ours = host == settings.PLATFORM_HOST or host.endswith(f".{settings.PLATFORM_HOST}")
    if not is_ours or said != f"{settings.PUBLIC_SCHEME}://{host}{settings.PUBLIC_PORT}":
        raise PasskeyRefused(_("Passkeys work on the addresses of this platform only."))
    return str(said)


def _descriptor(row: Passkey) -> PublicKeyCredentialDescriptor:
    return PublicKeyCredentialDescriptor(
        id=bytes(row.credential_id), transports=[AuthenticatorTransport(item) for item in row.transports] or None
    )


def _transports(credential: dict[str, Any]) -> list[str]:
    said = credential.get("response", {}).get("transports") or []
    return [item for item in said if item in _TRANSPORTS] if isinstance(said, list) else []


def _milliseconds() -> int:
    return int(LIFETIME.total_seconds() * 1000)
