"""SCIM's own form of resources, lists and errors (RFC 7644, 3.12 and 3.14)."""

import hashlib
import json
from datetime import datetime
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse
from pydantic import ValidationError
from scim2_models import Context, Error, Meta, Reference, ResponseParameters, SCIMException
from scim2_models import Resource as AnyResource

from apps.core.errors import DomainError, ValidationFailed
from apps.iam.models import Membership
from apps.iam.scim import resources, users
from apps.iam.scim.models import DirectoryGroup
from apps.iam.scim.users import Taken

R = TypeVar("R", bound=AnyResource[Any])
PREFIX = "/scim/v2"
# What a status of ours means to directories.
_TYPES = {400: "invalidValue", 413: "tooMany"}


def base_of(request: HttpRequest) -> str:
    """The address below which the tenant's resources are."""
    return f"{request.scheme}://{request.get_host()}{PREFIX}"


def user(member: Membership, base: str) -> resources.User:
    """A member as a SCIM user, with his version."""
    entry = users.entry_of(member)
    given, family = (entry.given_name, entry.family_name) if entry else (member.user.first_name, member.user.last_name)
    facts = entry.facts if entry else {}
    found = resources.User(
        id=str(member.id),
        external_id=(entry.external_id if entry else "") or None,
        user_name=member.user.email,
        name=resources.Name(given_name=given or None, family_name=family or None) if given or family else None,
        active=users.is_open(member),
        groups=[
            resources.Place(value=str(row.id), ref=Reference(f"{base}/Groups/{row.id}"), display=row.display_name)
            for row in member.directory_groups.all()
        ]
        or None,
        **{**facts, **({"emails": [resources.Email(**item) for item in facts["emails"]]} if "emails" in facts else {})},
    )
    changed = max(member.updated_at, entry.updated_at) if entry else member.updated_at
    return _with_meta(found, "User", f"{base}/Users/{member.id}", member.created_at, changed)


def group(row: DirectoryGroup, base: str) -> resources.Group:
    """A group as SCIM has it, with its version."""
    found = resources.Group(
        id=str(row.id),
        external_id=row.external_id or None,
        display_name=row.display_name,
        members=[
            resources.GroupMember(
                value=str(place.membership_id),
                ref=Reference(f"{base}/Users/{place.membership_id}"),
                type="User",
            )
            for place in row.places.all()
        ]
        or None,
    )
    return _with_meta(found, "Group", f"{base}/Groups/{row.id}", row.created_at, row.updated_at)


def resource(
    request: HttpRequest,
    found: R,
    context: Context,
    *,
    status: int = 200,
    wanted: ResponseParameters[Any] | None = None,
) -> HttpResponse:
    """One resource with its ``ETag``; unchanged ones are 304 to who has them."""
    assert found.meta is not None and found.meta.version is not None
    headers = {"ETag": found.meta.version, "Cache-Control": "private, no-store"}
    if request.method == "GET" and found.meta.version in _named(request, "If-None-Match"):
        return HttpResponse(status=304, headers=headers)
    if status == 201:
        headers["Location"] = str(found.meta.location)
    body = found.model_dump(scim_ctx=context, response_parameters=wanted, scim_provider=resources.PROVIDER)
    return answer(body, status, headers)


def is_overtaken(request: HttpRequest, found: R) -> bool:
    """Whether the caller named another version than this (``If-Match``)."""
    assert found.meta is not None
    named = _named(request, "If-Match")
    return bool(named) and "*" not in named and found.meta.version not in named


def refusal(error: Exception) -> HttpResponse:
    """What went wrong, in SCIM's form."""
    match error:
        case SCIMException():
            said = error.to_error()
        case ValidationError():
            said = Error.from_validation_errors(error)[0]
        case Taken():
            said = Error(status=409, scim_type="uniqueness", detail=error.detail)
        case ValidationFailed():
            detail = "; ".join(item.detail for item in error.errors)
            said = Error(status=400, scim_type="invalidValue", detail=detail)
        case DomainError():
            # RFC 7644 knows no 402.
            status = 403 if error.status == 402 else error.status
            said = Error(status=status, scim_type=_TYPES.get(status), detail=error.detail)
        case _:
            raise error
    headers = {"WWW-Authenticate": 'Bearer realm="scim"'} if said.status == 401 else {}
    retry_after = getattr(error, "extra", {}).get("retry_after")
    if retry_after:
        headers["Retry-After"] = str(retry_after)
    return answer(said.model_dump(), int(said.status or 400), headers)


def answer(body: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    """JSON under SCIM's own media type."""
    return HttpResponse(json.dumps(body), status=status, content_type=resources.MEDIA_TYPE, headers=headers)


def _with_meta(found: R, kind: str, location: str, created: datetime, changed: datetime) -> R:
    digest = hashlib.sha256(found.model_dump_json(scim_ctx=None).encode()).hexdigest()[:32]
    found.meta = Meta(
        resource_type=kind, location=location, created=created, last_modified=changed, version=f'W/"{digest}"'
    )
    return found


def _named(request: HttpRequest, header: str) -> set[str]:
    told = request.headers.get(header, "")
    # Weak or strong says nothing here: the version covers all that is shown.
    return {
        f"W/{tag.strip().removeprefix('W/')}" if tag.strip() != "*" else "*" for tag in told.split(",") if tag.strip()
    }
