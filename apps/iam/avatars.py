"""People's pictures in a workspace: announced, uploaded, confirmed, shown, removed (PRODUCT, iam, avatar)."""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.core.actor import Actor
from apps.core.clock import utcnow
from apps.core.errors import Conflict, NotFound, PermissionRefused, Unavailable, ValidationFailed
from apps.core.tenants import assert_no_transaction, public_scope
from apps.iam import avatar_uploads, portraits, standing
from apps.iam.avatar_models import Avatar, AvatarState
from apps.iam.avatar_uploads import Upload, UploadTarget
from apps.iam.errors import NotAMember, NotUploaded
from apps.iam.models import Membership, MembershipStatus

logger = structlog.get_logger(__name__)

UPLOAD_SECONDS = 15 * 60
# An upload that began in time may end later; only then is looked for what was left behind.
LATE = timedelta(minutes=15)
MAX_PENDING = 20
SWEEP_BATCH = 500
_NAME_BYTES = 16
_NAME = re.compile(rf"[0-9a-f]{{{2 * _NAME_BYTES}}}")
_STORAGE_ERRORS = (OSError, BotoCoreError, ClientError)


@dataclass(frozen=True, slots=True)
class Announced:
    """An upload that may come: where to, under which key, until when."""

    target: UploadTarget
    object_key: str
    expires_at: datetime


def announce(
    *, actor: Actor, base_url: str, content_type: str = "", size: int | None = None, now: datetime | None = None
) -> Announced:
    """Prepare the upload of one's own picture.

    Raises:
        ValidationFailed: no kind of picture that we take, or too large.
        Conflict: too many uploads of the person were begun and not ended.
    """
    moment = now or utcnow()
    tenant_id, user_id = _whose(actor)
    if content_type and content_type not in portraits.CONTENT_TYPES.values():
        raise portraits.refused("not_a_picture", _("Upload a JPEG, PNG, WebP or GIF picture."))
    if size is not None and not 0 < size <= portraits.LARGEST_FILE:
        raise portraits.refused("too_large", _("The file is larger than 5 MB."))
    name = secrets.token_hex(_NAME_BYTES)
    with public_scope(), transaction.atomic():
        pending = Avatar.objects.filter(tenant_id=tenant_id, user_id=user_id, state=AvatarState.UPLOADING)
        if pending.filter(expires_at__gt=moment).count() >= MAX_PENDING:
            raise Conflict(_("Too many uploads are under way. Please try again in a quarter of an hour."))
        expires_at = moment + timedelta(seconds=UPLOAD_SECONDS)
        Avatar.objects.create(
            tenant_id=tenant_id,
            user_id=user_id,
            name=name,
            content_type=content_type,
            created_at=moment,
            expires_at=expires_at,
        )
    key = upload_key(tenant_id, name)
    target = avatar_uploads.target_for(
        Upload(tenant_id, name),
        key=key,
        content_type=content_type,
        size=size,
        seconds=UPLOAD_SECONDS,
        base_url=base_url,
    )
    return Announced(target, key, expires_at)


def take(*, actor: Actor, content: bytes, now: datetime | None = None) -> str:
    """Show a picture that came with a form, without an upload of its own; returns its name. Raises as `confirm`."""
    announced = announce(actor=actor, base_url="", size=len(content) or None, now=now)
    _store(announced.object_key, content)
    return confirm(actor=actor, object_key=announced.object_key, now=now)


def receive(*, token: str, content: bytes) -> None:
    """Take what is sent to a signed address of our own. No transaction may be open.

    Raises:
        NotFound: the address is forged, too old, or its upload is over.
        ValidationFailed: empty or too large.
        Unavailable: the storage does not answer.
    """
    upload = avatar_uploads.read_token(token, seconds=UPLOAD_SECONDS)
    if upload is None:
        raise NotFound("There is no upload at this address, or not any more.")
    with public_scope():
        waiting = Avatar.objects.filter(tenant_id=upload.tenant_id, name=upload.name, state=AvatarState.UPLOADING)
        if not waiting.exists():
            raise NotFound("There is no upload at this address, or not any more.")
    if not content:
        raise portraits.refused("empty", _("The file is empty."))
    if len(content) > portraits.LARGEST_FILE:
        raise portraits.refused("too_large", _("The file is larger than 5 MB."))
    _store(upload_key(upload.tenant_id, upload.name), content)


def confirm(*, actor: Actor, object_key: str, now: datetime | None = None) -> str:
    """Show what was uploaded, instead of what was shown before; returns the picture's name. Twice is once.

    No transaction may be open.

    Raises:
        ValidationFailed: not the key of an upload of one's own here, its time is over, or no picture that we take.
        NotUploaded: nothing was uploaded under the key.
        NotAMember: the person left meanwhile.
        Unavailable: the storage does not answer.
    """
    assert_no_transaction("Reading an uploaded picture")
    tenant_id, user_id = _whose(actor)
    with public_scope():
        row = _own(tenant_id, user_id, object_key)
        if row.state == AvatarState.SHOWN:
            return row.name
        if row.state == AvatarState.ENDED or row.expires_at + LATE <= (now or utcnow()):
            raise _unknown_key()
        for size, picture in portraits.draw(_read(object_key), row.content_type).items():
            _store(picture_key(tenant_id, row.name, size), picture)
        replaced = _show(actor, row, user_id)
        _discard([object_key, *(key for old in replaced for key in _pictures(tenant_id, old))])
    return row.name


def remove(*, actor: Actor) -> None:
    """Show initials again; without a picture nothing happens. No transaction may be open."""
    tenant_id, user_id = _whose(actor)
    with public_scope():
        with transaction.atomic():
            shown = _shown(tenant_id).filter(user_id=user_id).select_for_update().first()
            if shown is None:
                return
            _end(shown)
            _record(actor, user_id, "iam.avatar.delete")
        _discard(_pictures(tenant_id, shown.name))


def end_those_of(*, tenant_id: UUID, user_id: UUID) -> None:
    """Somebody left: the sweep removes his pictures. In the caller's transaction, where no storage is asked."""
    with public_scope():
        Avatar.objects.filter(tenant_id=tenant_id, user_id=user_id).update(state=AvatarState.ENDED)


def names_of(tenant_id: UUID, user_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The names of the pictures of those people who have one in this workspace."""
    wanted = list(user_ids)
    if not wanted:
        return {}
    with public_scope():
        return dict(_shown(tenant_id).filter(user_id__in=wanted).values_list("user_id", "name"))


def read(tenant_id: UUID, name: str, size: int) -> bytes | None:
    """A picture, if the storage has it."""
    try:
        with default_storage.open(picture_key(tenant_id, name, size)) as stored:
            return bytes(stored.read())
    except FileNotFoundError:
        return None


def sweep(*, now: datetime | None = None) -> int:
    """Remove what was uploaded and never confirmed, and what was replaced; returns how many were looked after."""
    moment, done = now or utcnow(), 0
    with public_scope():
        is_owed = ~Q(state=AvatarState.SHOWN) | Q(user=None) | Q(is_swept=False)
        due = Avatar.objects.filter(is_owed, expires_at__lte=moment - LATE)
        for row in list(due.order_by("expires_at")[:SWEEP_BATCH]):
            done += _swept(row)
    return done


def upload_key(tenant_id: UUID, name: str) -> str:
    """Where an upload waits for its confirmation."""
    return f"tenants/{tenant_id}/avatars/uploads/{name}"


def picture_key(tenant_id: UUID, name: str, size: int) -> str:
    """Where the storage keeps a picture of `size` pixels a side."""
    return f"tenants/{tenant_id}/avatars/{name}-{size}.webp"


def _whose(actor: Actor) -> tuple[UUID, UUID]:
    if actor.impersonator_id is not None:
        raise PermissionRefused(_("Nobody changes another’s picture."))
    return standing.tenant_of(actor), standing.person(actor)


def _own(tenant_id: UUID, user_id: UUID, object_key: str) -> Avatar:
    folder, _slash, name = object_key.rpartition("/")
    is_name = bool(folder) and _NAME.fullmatch(name) is not None
    row = Avatar.objects.filter(tenant_id=tenant_id, user_id=user_id, name=name).first() if is_name else None
    # The whole key, so that no other path leads to the same name.
    if row is None or upload_key(tenant_id, row.name) != object_key:
        raise _unknown_key()
    return row


def _unknown_key() -> ValidationFailed:
    return ValidationFailed.one(
        "object_key", "unknown", _("This is not the key of an upload of yours, or not any more.")
    )


def _shown(tenant_id: UUID) -> QuerySet[Avatar]:
    return Avatar.objects.filter(tenant_id=tenant_id, state=AvatarState.SHOWN)


def _show(actor: Actor, row: Avatar, user_id: UUID) -> list[str]:
    """Make the row the one that is shown; returns the names of those that were."""
    with transaction.atomic():
        place = Membership.objects.filter(user_id=user_id, tenant_id=row.tenant_id)
        # Its row lock makes a person's confirmations take turns.
        if not place.exclude(status=MembershipStatus.REMOVED).select_for_update().exists():
            raise NotAMember
        found = Avatar.objects.select_for_update().filter(pk=row.pk).first()
        if found is None or found.state == AvatarState.ENDED:
            raise _unknown_key()
        if found.state == AvatarState.SHOWN:
            return []
        before = list(_shown(row.tenant_id).filter(user_id=user_id))
        for old in before:
            _end(old)
        found.state = AvatarState.SHOWN
        found.save(update_fields=["state"])
        _record(actor, user_id, "iam.avatar.set")
        return [old.name for old in before]


def _end(row: Avatar) -> None:
    row.state = AvatarState.ENDED
    row.save(update_fields=["state"])


def _pictures(tenant_id: UUID, name: str) -> list[str]:
    return [picture_key(tenant_id, name, size) for size in portraits.SIZES]


def _swept(row: Avatar) -> int:
    keys = [upload_key(row.tenant_id, row.name)]
    is_over = row.state != AvatarState.SHOWN or row.user_id is None
    if is_over:
        keys += _pictures(row.tenant_id, row.name)
    if not _discard(keys):
        return 0
    with transaction.atomic():
        # Only if nobody confirmed it meanwhile; then the next run looks again.
        same = Avatar.objects.filter(pk=row.pk, state=row.state)
        if is_over:
            return same.delete()[0]
        return same.update(is_swept=True)


def _store(key: str, content: bytes) -> None:
    try:
        default_storage.save(key, ContentFile(content))
    except _STORAGE_ERRORS as error:
        raise Unavailable(_("Files cannot be stored at the moment; please try again.")) from error


def _read(key: str) -> bytes:
    try:
        with default_storage.open(key) as stored:
            if stored.size > portraits.LARGEST_FILE:
                raise portraits.refused("too_large", _("The file is larger than 5 MB."))
            return bytes(stored.read(portraits.LARGEST_FILE + 1))
    except FileNotFoundError as error:
        raise NotUploaded(_("Nothing was uploaded under this key yet.")) from error
    except _STORAGE_ERRORS as error:
        raise Unavailable(_("Files cannot be read at the moment; please try again.")) from error


def _discard(keys: Iterable[str]) -> bool:
    """Remove files; whether that succeeded. What stays is the sweep's."""
    for key in keys:
        try:
            default_storage.delete(key)
        except FileNotFoundError:
            continue
        except _STORAGE_ERRORS as error:
            logger.warning("avatars.not_removed", key=key, error=str(error))
            return False
    return True


def _record(actor: Actor, user_id: UUID, action: str) -> None:
    audit.record(actor=actor, action=action, entity_type="user", entity_id=user_id, entity_label=actor.email)
