"""Holds API objects and parameters against Stripe's own OpenAPI document, when it lies beside the project."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

SPECIFICATION = Path(__file__).resolve().parents[2].parent / "shared" / "stripe" / "spec3.json"

# Members that the document calls nullable and Stripe nevertheless leaves out of its answers.
ALLOWED_ABSENT = {
    # Shown only when expanded.
    "charge": {"refunds"},
    # Connect, Treasury, Terminal and the like: not part of a plain account.
    "account": {"groups", "tos_acceptance"},
    "customer": {"cash_balance"},
    # Shown only when expanded.
    "invoice": {"confirmation_secret"},
}


def present() -> bool:
    """Return whether the document is there."""
    return SPECIFICATION.exists()


@cache
def document() -> dict[str, Any]:
    """Return the document."""
    loaded: dict[str, Any] = json.loads(SPECIFICATION.read_text())
    return loaded


@cache
def _schemas() -> dict[str, Any]:
    return {name: _converted(schema) for name, schema in document()["components"]["schemas"].items()}


def _converted(schema: Any) -> Any:
    """Return an OpenAPI 3.0 schema as JSON Schema, closed: members that are not described are refused."""
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {"$ref": schema["$ref"].replace("#/components/schemas/", "#/$defs/")}
    result = {name: schema[name] for name in ("type", "enum", "maxLength") if name in schema}
    for name in ("anyOf", "oneOf", "allOf"):
        if name in schema:
            result[name] = [_converted(member) for member in schema[name]]
    if "items" in schema:
        result["items"] = _converted(schema["items"])
    if "properties" in schema:
        result["properties"] = {name: _converted(member) for name, member in schema["properties"].items()}
        result["required"] = schema.get("required", [])
    if "additionalProperties" in schema:
        result["additionalProperties"] = _converted(schema["additionalProperties"])
    elif schema.get("properties"):
        result["additionalProperties"] = False
    if schema.get("nullable"):
        return {"anyOf": [result, {"type": "null"}]}
    return result


@cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": _schemas()})


def findings(value: dict[str, Any]) -> list[str]:
    """Return how an object departs from its schema."""
    kind = value["object"]
    name = f"deleted_{kind}" if value.get("deleted") else kind
    if name not in _schemas():
        return [f"{kind}: no such schema"]
    found = []
    error = best_match(_validator(name).iter_errors(value))
    if error is not None:
        found.append(f"{kind}{error.json_path[1:]}: {error.message[:300]}")
    if value.get("deleted") is not True:
        found += _absent(value)
    if kind == "event":
        found += findings(value["data"]["object"])
    return found


def _absent(value: dict[str, Any]) -> list[str]:
    kind = value["object"]
    properties = document()["components"]["schemas"][kind]["properties"]
    nullable = {name for name, schema in properties.items() if schema.get("nullable")}
    return [
        f"{kind}.{name}: null on Stripe, absent here"
        for name in nullable - value.keys() - ALLOWED_ABSENT.get(kind, set())
    ]


def parameters_of(method: str, path: str) -> dict[str, Any] | None:
    """Return the schema of an endpoint's parameters as an object schema; None when Stripe has no such endpoint."""
    operation = document()["paths"].get(path, {}).get(method.lower())
    if operation is None:
        return None
    if method == "GET":
        query = [item for item in operation.get("parameters", []) if item["in"] == "query"]
        return {
            "properties": {item["name"]: item["schema"] for item in query},
            "required": [item["name"] for item in query if item.get("required")],
        }
    content = operation.get("requestBody", {}).get("content", {})
    schema: dict[str, Any] = content.get("application/x-www-form-urlencoded", {}).get("schema", {})
    return schema
