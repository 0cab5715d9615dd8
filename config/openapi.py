"""What the OpenAPI document says of every operation because the edge does it for every operation."""

from http import HTTPStatus
from typing import Any

KEY_PARAMETER, PROBLEM = "IdempotencyKey", "ProblemAnswer"
_UNSAFE = ("post", "put", "patch", "delete")


def describe_edge(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's postprocessing hook: keys of unsafe calls, and every refusal as a problem document."""
    components = result.setdefault("components", {})
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
            _describe(path, method, operation)
    return result


def _describe(path: str, method: str, operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    refusals = {status for status in answers if int(status) >= 400}
    if any(operation.get("security", [])):
        refusals |= {"401", "403"}
        if method in _UNSAFE:
            operation.setdefault("parameters", []).append({"$ref": f"#/components/parameters/{KEY_PARAMETER}"})
            refusals |= {"400", "409", "422"}
    if "{" in path:
        refusals.add("404")
    if "requestBody" in operation:
        refusals |= {"400", "413", "415"}
    schema = {"$ref": f"#/components/schemas/{PROBLEM}"}
    for status in sorted(refusals):
        told = answers.get(status, {}).get("description") or HTTPStatus(int(status)).phrase
        answers[status] = {"description": told, "content": {"application/problem+json": {"schema": schema}}}
    operation["responses"] = dict(sorted(answers.items()))
