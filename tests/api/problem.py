"""What every refusal of the API must look like (RFC 9457, PRODUCT: errors)."""

from typing import Any

MEMBERS = {"type", "title", "status", "detail", "instance", "code", "correlation_id"}


def problem(answer: Any, *statuses: int) -> dict[str, Any]:
    """The problem document of `answer`, which must have one of `statuses`."""
    told = f"{answer.request['REQUEST_METHOD']} {answer.request['PATH_INFO']}: {answer.status_code}"
    assert answer.status_code in statuses, f"{told} {answer.content[:300]!r}"
    assert answer["Content-Type"].startswith("application/problem+json"), f"{told} {answer['Content-Type']}"
    body: dict[str, Any] = answer.json()
    assert body.keys() >= MEMBERS, f"{told} {body}"
    assert body["status"] == answer.status_code
    assert body["correlation_id"] and body["correlation_id"] == answer["X-Correlation-ID"], told
    return body
