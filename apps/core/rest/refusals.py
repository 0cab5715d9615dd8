"""What HTTP and the database refuse, as the errors that callers see."""

import re
from dataclasses import asdict
from typing import Any, cast

import structlog
from django.apps import apps
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError
from django.db.models import UniqueConstraint

from apps.core.errors import Conflict, DomainError, FieldError, Unavailable

logger = structlog.get_logger(__name__)


class MalformedBody(DomainError):
    """The body is not JSON, or not of the kind that everybody can read (I-JSON, RFC 7493)."""

    code, status, title = "malformed_body", 400, "The body cannot be read"


class TooManyFields(DomainError):
    """The query, the form or the upload has more parts than are read at once; `limit` is how many are."""

    code, status, title = "too_many_fields", 400, "There are more fields or files than can be sent at once"


class MethodNotAllowed(DomainError):
    """The route exists, and answers to other methods; the `Allow` header names them."""

    code, status, title = "method_not_allowed", 405, "This method is not offered here"


class NotAcceptable(DomainError):
    """No form that `Accept` names can be made."""

    code, status, title = "not_acceptable", 406, "The answer cannot be made in this form"


class UnsupportedMediaType(DomainError):
    """Bodies are `application/json`."""

    code, status, title = "unsupported_media_type", 415, "The body is of a type that is not read here"


class AlreadyTaken(Conflict):
    """What must be unique is there already; `errors` names the fields where they are known."""

    code, title = "already_taken", "This is there already"


class StillReferenced(Conflict):
    """Something else refers to it, so it cannot go."""

    code, title = "still_referenced", "Something else still refers to this"


class Overlapping(Conflict):
    """It overlaps something that excludes it."""

    code, title = "overlapping", "This overlaps something that is stored"


class UnknownReference(DomainError):
    """It refers to something that does not exist."""

    code, status, title = "unknown_reference", 400, "This refers to something that does not exist"


class RuleBroken(DomainError):
    """A rule of the stored data forbids it; the values contradict each other."""

    code, status, title = "rule_broken", 400, "The values contradict a rule"


class ValueMissing(DomainError):
    """A value that is always there was left out."""

    code, status, title = "value_missing", 400, "A value is missing"


class ValueOutOfRange(DomainError):
    """A value is too large, too long or of a form that cannot be stored."""

    code, status, title = "value_out_of_range", 400, "A value is out of range"


class TryAgain(Unavailable):
    """Another call was changing the same data for too long; nothing was done, the same call may be sent again."""

    code, title = "try_again", "Somebody else was changing this at the same moment"


# https://www.postgresql.org/docs/current/errcodes-appendix.html
_BY_SQLSTATE: dict[str, type[DomainError]] = {
    "23502": ValueMissing,
    "23505": AlreadyTaken,
    "23514": RuleBroken,
    "23P01": Overlapping,
    "40001": TryAgain,
    "40P01": TryAgain,
    "55P03": TryAgain,
}
_FOREIGN_KEY = "23503"


def of_database(error: DatabaseError | InterfaceError) -> DomainError | None:
    """The refusal that the database's error is, or None when it is our own mistake."""
    diagnosis = getattr(error.__cause__, "diag", None)
    state = getattr(error.__cause__, "sqlstate", None) or ""
    told: DomainError | None = None
    if state == _FOREIGN_KEY:
        is_gone = "is not present" in (getattr(diagnosis, "message_detail", "") or "")
        told = UnknownReference() if is_gone else StillReferenced()
    elif state == "23505":
        told = AlreadyTaken(
            **_fields(getattr(diagnosis, "constraint_name", "") or "", getattr(diagnosis, "table_name", "") or "")
        )
    elif state in _BY_SQLSTATE:
        told = TryAgain(retry_after=1) if _BY_SQLSTATE[state] is TryAgain else _BY_SQLSTATE[state]()
    elif isinstance(error, IntegrityError):
        told = Conflict("This contradicts what is already stored.")
    elif isinstance(error, DataError):
        told = ValueOutOfRange()
    elif isinstance(error, OperationalError | InterfaceError):
        logger.exception("api.database_unavailable")
        return Unavailable("The database does not answer; please try again.")
    if told is not None:
        # The error's own text goes on with the values of the row, which are nobody's who reads logs.
        said = getattr(diagnosis, "message_primary", None) or type(error).__name__
        logger.warning("api.constraint", code=told.code, error=said)
    return told


def _fields(constraint: str, table: str) -> dict[str, Any]:
    named = [name for name in _named_by(constraint, table) if name not in ("tenant", "tenant_id")]
    refused = [FieldError(name, "taken", "This is there already.") for name in named]
    return {"errors": [asdict(error) for error in refused]} if refused else {}


def _named_by(constraint: str, table: str) -> tuple[str, ...]:
    """The fields that a constraint makes unique: one that a model names, or the one of a field that is so by itself."""
    for model in apps.get_models():
        found = next((item for item in model._meta.constraints if item.name == constraint), None)
        if isinstance(found, UniqueConstraint):
            return cast(tuple[str, ...], found.fields)
        if model._meta.db_table == table:
            for one in model._meta.local_fields:
                # As PostgreSQL names it in a new table, and Django in one that is there.
                own = rf"{re.escape(f'{table}_{one.column}')}_(key|[0-9a-f]{{8}}_uniq)"
                if one.unique and one.editable and re.fullmatch(own, constraint):
                    return (one.name,)
    return ()
