"""Templates, static files and the headers of every page."""

from __future__ import annotations

import hashlib
import json
import mimetypes
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response

from sandbox.stripe.configuration import ACCOUNT_NAME
from sandbox.stripe.currencies import written

_HERE = Path(__file__).parent

# Browsers apply form-action to the redirects that follow a form too, and a paid session leads to the merchant.
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self' http: https:;"
    " base-uri 'none'; frame-ancestors 'none'"
)

_STATIC = {path.name: path.read_bytes() for path in sorted((_HERE / "static").iterdir())}
_VERSION = hashlib.sha256(b"".join(_STATIC.values())).hexdigest()[:12]

mimetypes.add_type("text/javascript", ".js")


def _instant(seconds: float | None) -> str:
    if seconds is None:
        return "—"
    return datetime.fromtimestamp(seconds, UTC).strftime("%-d %b %Y, %H:%M:%S UTC")


def day(seconds: float) -> str:
    """Return the day of an instant (in seconds, UTC) for people, such as `3 May 2026`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%-d %B %Y")


def _every(recurring: dict[str, Any]) -> str:
    """Return how often a price is due, such as `per month` or `every 3 months`."""
    count, unit = recurring["interval_count"], recurring["interval"]
    return f"per {unit}" if count == 1 else f"every {count} {unit}s"


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


_TEMPLATES = Environment(
    loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_TEMPLATES.filters |= {"money": written, "instant": _instant, "day": day, "every": _every, "pretty": _pretty}
_TEMPLATES.globals |= {"merchant": ACCOUNT_NAME, "version": _VERSION}


def page(template: str, *, status: int = 200, **values: object) -> Response:
    """Return the rendered page."""
    response = Response(_TEMPLATES.get_template(template).render(values), status=status, mimetype="text/html")
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Cache-Control"] = "no-store"
    # Not `no-referrer`: with it browsers send `Origin: null` from the page's own forms.
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def message(
    title: str, text: str, *, status: int = 200, tone: str = "calm", link: tuple[str, str] | None = None
) -> Response:
    """Return a page that says one thing; `link` is where to go on, with its label."""
    return page("message.html", status=status, title=title, text=text, tone=tone, link=link)


def static_file(request: Request, name: str) -> Response:
    """Return a style sheet, script or picture.

    Raises: NotFound.
    """
    content = _STATIC.get(name)
    if content is None:
        raise NotFound
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    response = Response(content, content_type=f"{kind}; charset=utf-8")
    response.headers["Cache-Control"] = "max-age=31536000, immutable" if "v" in request.args else "no-cache"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
