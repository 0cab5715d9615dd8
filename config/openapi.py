"""What the OpenAPI document says of every operation because the edge does it for every operation."""

from http import HTTPStatus
from typing import Any

KEY_PARAMETER, PROBLEM = "IdempotencyKey", "Problem"
_UNSAFE = ("post", "put", "patch", "delete")
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "A problem document (RFC 9457). Members beyond these depend on `code`.",
    "required": ["type", "title", "status", "detail", "instance", "code", "correlation_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "Where `code` is explained."},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "What happened, for people."},
        "instance": {"type": "string", "description": "The path that was called."},
        "code": {"type": "string", "description": "What happened, for programs; never changes its meaning."},
        "correlation_id": {"type": "string", "description": "Names this call in our logs."},
        "errors": {
            "type": "array",
            "description": "Of `validation_failed`: every refused value.",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {
                    "field": {"type": "string", "description": "Its path, for example `lines.0.quantity`."},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
        "allowed_actions": {
            "type": "array",
            "description": "Of `illegal_state`: what the present state allows.",
            "items": {"type": "string"},
        },
        "retry_after": {"type": "integer", "description": "Seconds to wait, as in the Retry-After header."},
    },
}


def describe_edge(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's postprocessing hook: keys of unsafe calls, and every refusal as a problem document."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})[PROBLEM] = _PROBLEM
    components.setdefault("parameters", {})[KEY_PARAMETER] = {
        "name": "Idempotency-Key",
        "in": "header",
        "description": (
            "1 to 255 visible ASCII characters of your choice. The same call with the same key within 24 hours has no "
            "second effect and gets the first answer with `Idempotent-Replayed: true`."
        ),
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        "example": "5f1c0c0e-7a1b-4d53-9d0e-0a4f4e0f6a55",
    }
    for path, methods in result["paths"].items():
        for method, operation in methods.items():
            if any(operation.get("security", [])) and method in _UNSAFE:
                operation.setdefault("parameters", []).append({"$ref": f"#/components/parameters/{KEY_PARAMETER}"})
            _describe_refusals(path, method, operation)
    return result


def _describe_refusals(path: str, method: str, operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    schema = {"$ref": f"#/components/schemas/{PROBLEM}"}
    for status in _refusals(path, method, operation) | {status for status in answers if int(status) >= 400}:
        told = answers.get(status, {}).get("description") or HTTPStatus(int(status)).phrase
        answers[status] = {"description": told, "content": {"application/problem+json": {"schema": schema}}}
    operation["responses"] = dict(sorted(answers.items()))


def _refusals(path: str, method: str, operation: dict[str, Any]) -> set[str]:
    """What calls of this kind can be refused with, whatever they do; views name only what is peculiar to them."""
    refusals = {"429", "503"}
    if any(operation.get("security", [])):
        refusals |= {"401", "403"}
        if method in _UNSAFE:
            refusals |= {"400", "409", "422"}
    if any(parameter.get("in") == "query" for parameter in operation.get("parameters", [])):
        refusals.add("400")
    if "{" in path:
        refusals.add("404")
    if "requestBody" in operation:
        refusals |= {"400", "413", "415"}
    return refusals
