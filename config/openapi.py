"""What the OpenAPI document says of every operation because the edge does it for every operation."""

from http import HTTPStatus
from typing import Any

from apps.core.rest.described import KEY_HEADER

PROBLEM = "Problem"
# A refusal of each status as most calls may get it; errors of more than one code have one of them here.
_REFUSED = {
    "400": ("validation_failed", "Some of the values are not valid"),
    "401": ("not_authenticated", "You are not signed in"),
    "402": ("plan_limit", "Your plan does not cover this"),
    "403": ("permission_refused", "You are not allowed to do this"),
    "404": ("not_found", "There is nothing here"),
    "409": ("conflict", "This contradicts the current state"),
    "413": ("body_too_large", "This is more than can be sent at once"),
    "415": ("unsupported_media_type", "The body is of a type that is not read here"),
    "422": ("idempotency_key_reused", "This Idempotency-Key belongs to another request"),
    "429": ("rate_limited", "Too many requests"),
    "502": ("gateway_failed", "The payment provider did not answer as expected"),
    "503": ("unavailable", "This is not available right now"),
}
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "A problem document (RFC 9457). Members beyond these depend on `code`.",
    "required": ["type", "title", "status", "detail", "instance", "code", "correlation_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "Where `code` is explained."},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "What happened, for people."},
        "instance": {"type": "string", "format": "uri-reference", "description": "The path that was called."},
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
    """drf-spectacular's postprocessing hook: every refusal as a problem document."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})[PROBLEM] = _PROBLEM
    for schema in components["schemas"].values():
        if "enum" in schema and all(isinstance(value, str) for value in schema["enum"]):
            schema.setdefault("type", "string")
    for path, methods in result["paths"].items():
        for operation in methods.values():
            _describe_refusals(path, operation)
    statuses = {
        status for methods in result["paths"].values() for one in methods.values() for status in one["responses"]
    }
    refusals = sorted(status for status in statuses if int(status) >= 400)
    components["examples"] = {f"{PROBLEM}{status}": {"value": _example(status)} for status in refusals}
    return result


def _example(status: str) -> dict[str, Any]:
    code, title = _REFUSED.get(status, ("conflict", HTTPStatus(int(status)).phrase))
    example: dict[str, Any] = {
        "type": f"/api/docs/problems#{code}",
        "title": title,
        "status": int(status),
        "detail": f"{title}.",
        "instance": "/api/v1/invoices",
        "code": code,
        "correlation_id": "5f1c0c0e-7a1b-4d53-9d0e-0a4f4e0f6a55",
    }
    if code == "validation_failed":
        example["errors"] = [
            {"field": "lines.0.quantity", "code": "min_value", "detail": "Ensure this value is greater than 0."}
        ]
    return example | ({"retry_after": 5} if status in ("429", "503") else {})


def _describe_refusals(path: str, operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    schema = {"$ref": f"#/components/schemas/{PROBLEM}"}
    for status in _refusals(path, operation) | {status for status in answers if int(status) >= 400}:
        told = answers.get(status, {}).get("description") or HTTPStatus(int(status)).phrase
        example = {"$ref": f"#/components/examples/{PROBLEM}{status}"}
        content = {"schema": schema, "examples": {PROBLEM: example}}
        answers[status] = {"description": told, "content": {"application/problem+json": content}}
    operation["responses"] = dict(sorted(answers.items()))


def _refusals(path: str, operation: dict[str, Any]) -> set[str]:
    """What calls of this kind can be refused with, whatever they do; views name only what is peculiar to them."""
    refusals = {"429", "503"}
    if any(operation.get("security", [])):
        refusals |= {"401", "403"}
    if any(parameter["name"] == KEY_HEADER for parameter in operation.get("parameters", [])):
        refusals |= {"400", "409", "422"}
    if any(parameter.get("in") == "query" for parameter in operation.get("parameters", [])):
        refusals.add("400")
    if "{" in path:
        refusals.add("404")
    if "requestBody" in operation:
        refusals |= {"400", "413", "415"}
    return refusals
