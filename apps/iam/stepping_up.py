"""Step-up: a dangerous action asks for a proof of the last minutes of who is at the keyboard (RFC 9470 in spirit)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core.clock import utcnow
from apps.core.errors import NotAuthenticated, PermissionRefused, ValidationFailed
from apps.core.tenants import public_scope
from apps.iam import factors, proving, signins, standing
from apps.iam.credentials import verify
from apps.iam.errors import InvalidCredentials, StepUpRequired
from apps.iam.identity import Identity
from apps.iam.models import User
from apps.iam.proofs import FEDERATED, PASSWORD

RECENT = timedelta(minutes=10)


def require_recent(who: Any, *, now: datetime | None = None) -> None:
    """Refuse unless the person proved himself within the last ten minutes, with a second factor if he has one.

    Whom his organisation signed in has proved himself there; what it asks of him is its own affair.

    `who` is an `Identity`, a page's request or a DRF request. A sign-in counts as a proof. Call it in the view, before
    the service and outside what catches domain errors; on pages the middleware leads to the confirm page and back.

    Raises:
        StepUpRequired: the last proof is older.
        PermissionRefused: an API key or somebody who acts in another's name; neither can prove to be the person.
        NotAuthenticated: nobody is signed in.
    """
    found, moment = require_person(who), now or utcnow()
    assert found.actor.user_id is not None
    if found.strong_at is not None and moment - found.strong_at <= RECENT:
        return
    is_enough = FEDERATED in found.methods or not factors.has_any(found.actor.user_id)
    if is_enough and found.proved_at is not None and moment - found.proved_at <= RECENT:
        return
    raise StepUpRequired(
        _("It has been a while since you signed in. Please confirm that it is you."),
        max_age=int(RECENT.total_seconds()),
        methods=[PASSWORD, *factors.of(found.actor.user_id).methods],
    )


def require_recent_unless_key(who: Any) -> None:
    """`require_recent` of people: a key cannot prove itself again; its maker did when he made it.

    Raises:
        StepUpRequired, PermissionRefused, NotAuthenticated: as `require_recent`.
    """
    if identity_of(who).actor.api_key_id is None:
        require_recent(who)


def require_second_factor(who: Any) -> None:
    """`require_recent` for what asks for the present password itself: only of who has more than a password."""
    found = require_person(who)
    assert found.actor.user_id is not None
    if factors.has_any(found.actor.user_id):
        require_recent(found)


def require_person(who: Any) -> Identity:
    """The identity behind `who`, if a person signed in and acts in his own name.

    Raises:
        PermissionRefused: an API key, or somebody who acts in another's name.
        NotAuthenticated: nobody is signed in.
    """
    found = identity_of(who)
    if found.actor.user_id is None or found.actor.impersonator_id is not None or found.actor.api_key_id is not None:
        raise PermissionRefused(_("Only the person himself, signed in, may do this."))
    return found


def require_account_owner(who: Any) -> None:
    """`require_recent` for what changes how the person signs in anywhere, which no workspace's provider may do.

    Raises:
        PermissionRefused: the person's organisation signed him in. Otherwise as `require_recent`.
    """
    require_recent(who)
    if FEDERATED in identity_of(who).methods:
        raise PermissionRefused(
            _("Your organisation signed you in here. Sign in with your own password to change this.")
        )


def identity_of(who: Any) -> Identity:
    """The identity behind a request, or `who` itself.

    Raises:
        NotAuthenticated: nobody is signed in.
    """
    # A DRF request wraps Django's.
    found = who if isinstance(who, Identity) else getattr(getattr(who, "_request", who), "identity", None)
    if not isinstance(found, Identity):
        raise NotAuthenticated
    return found


def confirm(*, identity: Identity, password: str, code: str = "", now: datetime | None = None) -> None:
    """Note that the person has just proved himself: by his password, and by a code if he has a second factor.

    Runs outside any transaction of the caller's, so that a wrong guess is counted. Who signs in through his
    organisation and has no password proves himself by the code alone.

    Raises:
        ValidationFailed: the password or the code is wrong, or the code is missing.
        AccountLocked: too many wrong guesses.
        StepUpRequired: there is neither a password nor a code; he has to sign in again.
    """
    person = require_person(identity)
    with public_scope():
        user = User.objects.get(pk=standing.person(person.actor))
    has_factor, methods = factors.has_any(user.id), list[str]()
    if user.has_usable_password():
        try:
            verify(email=user.email, password=password, origin=person.actor.origin)
        except InvalidCredentials as error:
            raise ValidationFailed.one("password", "wrong", _("This is not your password.")) from error
        methods.append(PASSWORD)
    elif not has_factor:
        raise StepUpRequired(_("Sign out and in again through your organisation."), methods=[FEDERATED])
    if has_factor:
        methods.append(proving.check_code_field(user=user, code=code, origin=person.actor.origin, now=now))
    signins.prove_again(person.family_id, methods=methods, is_strong=has_factor, now=now or utcnow())
    _record(person, methods)


def confirm_by_passkey(*, identity: Identity, ceremony: UUID, bound_to: str, credential: dict[str, Any]) -> None:
    """Note that the person has just proved himself by one of his passkeys.

    Raises:
        PasskeyRefused: see there.
    """
    person = require_person(identity)
    assert person.actor.user_id is not None
    shown = proving.check_passkey(
        ceremony=ceremony,
        bound_to=bound_to,
        credential=credential,
        user_id=person.actor.user_id,
        origin=person.actor.origin,
    )
    signins.prove_again(person.family_id, methods=shown.methods, is_strong=True, now=utcnow())
    _record(person, shown.methods)


def _record(person: Identity, methods: Iterable[str]) -> None:
    audit.record(
        actor=person.actor,
        action="iam.session.confirm",
        entity_type="session",
        entity_id=person.family_id,
        entity_label=person.actor.email,
        after={"methods": " ".join(methods)},
        severity=Severity.INFO,
    )
