"""What somebody had typed when he was asked to prove himself: kept sealed for minutes, sent by his own click alone.

A form that htmx sent is sent again as a page's: each of ours has an action that answers without a script, too.
"""

import json
import re
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy

from apps.core import ids, sealing
from apps.core.clock import utcnow

KEPT_FOR = timedelta(minutes=10)
# Characters of all names and values together; who has typed more goes back to his page as before.
LONGEST = 20_000
# Of a person's tabs; beyond, the oldest goes.
MOST = 3
_PLACE, _PURPOSE = "iam_kept_form", "iam.kept_form"
# A second look at a secret is less work than a place where it lies.
_SECRET = re.compile(r"password|secret|token|^code$|^otp$", re.IGNORECASE)
_CALLED = {"password": gettext_lazy("Your password"), "client_secret": gettext_lazy("Client secret")}
_NO_TEXT = ("version", "next", "workspace")


@dataclass(frozen=True, slots=True)
class KeptForm:
    """A form that was sent to `action` and not acted upon.

    `left_out` names what held secrets, which have to be typed again; `files` are the names of the files that came with
    it, under the name of their field: they have to be chosen again.
    """

    action: str
    back_to: str
    fields: tuple[tuple[str, str], ...]
    left_out: tuple[str, ...] = ()
    files: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def secrets(self) -> list[tuple[str, str, str]]:
        """The name of each secret that has to be typed again, what it is called, and what a browser may fill in."""
        return [(name, str(_CALLED.get(name, name.replace("_", " "))), _filled(name)) for name in self.left_out]

    @property
    def typed(self) -> list[str]:
        """What the person will recognise of it."""
        found = [value.strip() for name, value in self.fields if name not in _NO_TEXT]
        return [value for value in found if value and value != "on" and not _is_id(value)]


def keep(request: Any, *, back_to: str) -> str:
    """Keep the form that this request brought, in its session; returns its id, empty if nothing was worth keeping.

    Passwords and other secrets are left out, and of files all but their names; a passkey's answer is not kept at all.
    """
    if request.method != "POST" or "credential" in request.POST:
        return ""
    sent = [(name, value) for name, values in request.POST.lists() for value in values]
    fields = tuple((name, value) for name, value in sent if not _is_secret(request, name))
    # Django's own token is no secret of the person's; what he left empty is sent so.
    secrets = ((name, value) for name, value in sent if _is_secret(request, name) and name != "csrfmiddlewaretoken")
    left_out = tuple(dict.fromkeys(name for name, value in secrets if value))
    files = tuple((field, tuple(str(file.name) for file in chosen)) for field, chosen in request.FILES.lists())
    form = KeptForm(request.get_full_path(), back_to, fields, left_out, files)
    text = json.dumps(
        asdict(form) | {"family": str(request.identity.family_id), "until": (utcnow() + KEPT_FOR).timestamp()}
    )
    size = sum(len(name) + len(value) for name, value in fields)
    size += sum(map(len, left_out)) + sum(len(name) for field, names in files for name in (field, *names))
    if not (form.typed or files) or size > LONGEST:
        return ""
    form_id, others = ids.secret_token(), list(_held(request).items())[1 - MOST :]
    request.session[_PLACE] = dict([*others, (form_id, sealing.seal(text, purpose=_PURPOSE))])
    return form_id


def kept(request: Any, form_id: str) -> KeptForm | None:
    """The form of this id that is kept for this very sign-in, if its time is not over."""
    try:
        held = json.loads(sealing.unseal(_held(request).get(form_id, ""), purpose=_PURPOSE))
    except sealing.CannotUnseal:
        return None
    if held.pop("family") != str(request.identity.family_id) or held.pop("until") < utcnow().timestamp():
        return None
    held["fields"] = tuple((name, value) for name, value in held["fields"])
    held["files"] = tuple((field, tuple(names)) for field, names in held["files"])
    held["left_out"] = tuple(held["left_out"])
    return KeptForm(**held)


def _filled(name: str) -> str:
    return "current-password" if name == "password" else "off"


def _held(request: Any) -> dict[str, str]:
    held = request.session.get(_PLACE)
    return held if isinstance(held, dict) else {}


def _is_secret(request: Any, name: str) -> bool:
    declared = getattr(request, "sensitive_post_parameters", ())
    return declared == "__ALL__" or name in declared or _SECRET.search(name) is not None


def _is_id(value: str) -> bool:
    try:
        return bool(UUID(value))
    except ValueError:
        return False
