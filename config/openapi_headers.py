"""What the OpenAPI document says of the headers that the edge puts on answers."""

from typing import Any

from apps.core import correlation
from apps.core.rest.described import KEY_HEADER

_TEXT, _SECONDS = {"type": "string"}, {"type": "integer", "minimum": 0}
_ALWAYS = (correlation.HEADER, "RateLimit", "RateLimit-Policy")
_HEADERS: dict[str, tuple[str, dict[str, Any], Any]] = {
    correlation.HEADER: ("Names this call in our logs.", _TEXT, "5f1c0c0e-7a1b-4d53-9d0e-0a4f4e0f6a55"),
    "RateLimit": (
        "What each rule still lets through (`r`), and in how many seconds (`t`) its oldest call counts no more. In the "
        "form of draft-ietf-httpapi-ratelimit-headers from version 08 on.",
        _TEXT,
        '"user";r=999;t=60, "workspace";r=9999;t=60',
    ),
    "RateLimit-Policy": (
        "The rules that count this call: so many (`q`) within any so many seconds (`w`).",
        _TEXT,
        '"user";q=1000;w=60, "workspace";q=10000;w=60',
    ),
    "Retry-After": ("Seconds to wait.", _SECONDS, 5),
    "Idempotent-Replayed": (
        "There when this is the answer that the same call with the same key got before.",
        {"type": "string", "enum": ["true"]},
        "true",
    ),
    "Location": ("Where the new thing is read, if it has an address of its own.", _TEXT, "/api/v1/clients/0199c0de"),
    "WWW-Authenticate": ("How to show who you are.", _TEXT, 'Bearer realm="insula"'),
}
_OF_STATUS = {"201": ("Location",), "401": ("WWW-Authenticate",), "429": ("Retry-After",), "503": ("Retry-After",)}


def describe_headers(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's postprocessing hook: headers of every answer.

    Their shapes are told once and referred to: generators of clients do not follow references to whole headers.
    """
    for name, (told, schema, example) in _HEADERS.items():
        result["components"]["schemas"][_shape(name)] = {**schema, "description": told, "example": example}
    for operation in (operation for methods in result["paths"].values() for operation in methods.values()):
        takes_key = any(parameter["name"] == KEY_HEADER for parameter in operation.get("parameters", []))
        for status, answer in operation["responses"].items():
            names = [*_ALWAYS, *_OF_STATUS.get(status, ())]
            # A key that is in flight says when to come again; refusals of who calls are never kept.
            names += ["Retry-After"] if takes_key and status == "409" else []
            names += ["Idempotent-Replayed"] if takes_key and status not in ("401", "403") and status < "500" else []
            told = answer.setdefault("headers", {})
            shown = {name: {"schema": {"$ref": f"#/components/schemas/{_shape(name)}"}} for name in names}
            answer["headers"] = told | shown
    return result


def _shape(header: str) -> str:
    return header.replace("-", "") + "Header"
