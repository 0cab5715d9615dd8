"""What somebody had typed when he was asked to prove himself: kept sealed for minutes, sent by his own click alone."""

import json
import re
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from apps.core import sealing
from apps.core.clock import utcnow

KEPT_FOR = timedelta(minutes=10)
# Characters of all names and values together; who has typed more goes back to his page as before.
LONGEST = 20_000
_PLACE, _PURPOSE = "iam_kept_form", "iam.kept_form"
# A second look at a secret is less work than a place where it lies.
_SECRET = re.compile(r"password|secret|token|^code$|^otp$", re.IGNORECASE)
_NO_TEXT = ("version", "next", "workspace")


@dataclass(frozen=True, slots=True)
class KeptForm:
    """A form that was sent to `action` and not acted upon. `is_whole`: no secret was left out of `fields`."""

    action: str
    back_to: str
    fields: tuple[tuple[str, str], ...]
    is_whole: bool

    @property
    def typed(self) -> list[str]:
        """What the person will recognise of it."""
        found = [value.strip() for name, value in self.fields if name not in _NO_TEXT]
        return [value for value in found if value and value != "on" and not _is_id(value)]


def keep(request: Any, *, back_to: str) -> bool:
    """Keep the form that this request brought, in its session; returns whether there was something worth keeping.

    Passwords and other secrets are left out; files, a passkey's answer and what a script sent are not kept at all.
    """
    is_form = request.method == "POST" and not request.headers.get("HX-Request")
    if not is_form or request.FILES or "credential" in request.POST:
        return False
    sent = [(name, value) for name, values in request.POST.lists() for value in values]
    fields = tuple((name, value) for name, value in sent if not _is_secret(request, name))
    # Django's own token is no secret of the person's.
    left_out = {name for name, _value in sent} - {name for name, _value in fields} - {"csrfmiddlewaretoken"}
    form = KeptForm(request.get_full_path(), back_to, fields, is_whole=not left_out)
    if not form.typed or sum(len(name) + len(value) for name, value in fields) > LONGEST:
        return False
    held = asdict(form) | {"family": str(request.identity.family_id), "until": (utcnow() + KEPT_FOR).timestamp()}
    request.session[_PLACE] = sealing.seal(json.dumps(held), purpose=_PURPOSE)
    return True


def kept(request: Any) -> KeptForm | None:
    """The form that is kept for this very sign-in, if its time is not over."""
    try:
        held = json.loads(sealing.unseal(request.session.get(_PLACE, ""), purpose=_PURPOSE))
    except sealing.CannotUnseal:
        return None
    if held.pop("family") != str(request.identity.family_id) or held.pop("until") < utcnow().timestamp():
        return None
    return KeptForm(**held | {"fields": tuple((name, value) for name, value in held["fields"])})


def _is_secret(request: Any, name: str) -> bool:
    declared = getattr(request, "sensitive_post_parameters", ())
    return declared == "__ALL__" or name in declared or _SECRET.search(name) is not None


def _is_id(value: str) -> bool:
    try:
        return bool(UUID(value))
    except ValueError:
        return False
