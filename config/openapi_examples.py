"""Examples of every body and answer in the OpenAPI document: those that views give, the others made of the shapes."""

from typing import Any

Schema = dict[str, Any]

_ID = "0199c0de-7a54-7c0e-9d0b-6a4f0f6a1c11"
_BY_FORMAT: dict[str, Any] = {
    "uuid": _ID,
    "date-time": "2026-03-31T09:28:11Z",
    "date": "2026-03-31",
    "email": "ada@northwind.example",
    "uri": "https://northwind.example/",
    "uri-reference": "/api/docs/problems#not_found",
    "decimal": "12.50",
    "binary": "",
}
_BY_NAME: dict[str, Any] = {
    "accent": "#0f766e",
    "access": "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiIwMTk5In0.c2lnbmF0dXJl",
    "account": "1100",
    "action": "invoices.invoice.finalize",
    "actor_name": "Ada Lovelace",
    "address": "12 Harbour Street, Oslo",
    "amount_minor": 118750,
    "avatar_url": "https://northwind.insula.example/people/3f9c1d7e5b2a4c68-256.webp",
    "api_key_name": "Bookkeeping",
    "builtin": "MEMBER",
    "code": "123456",
    "content_type": "image/png",
    "correlation_id": "5f1c0c0e7a1b4d53",
    "currency": "EUR",
    "current_password": "Correct-horse-9",
    "description": "Consulting, hours",
    "device": "Firefox on Linux",
    "domain": "billing.northwind.example",
    "due_date": "2026-04-30",
    "email": "ada@northwind.example",
    "entity_label": "INV-2026-0042",
    "entity_type": "invoice",
    "error": "",
    "failure_reason": "",
    "first_name": "Ada",
    "host": "northwind.insula.example",
    "invited_by": "Grace Hopper",
    "invoice_footer": "Registered in Oslo, NO 987 654 321",
    "invoice_intro": "For our work in March:",
    "ip": "192.0.2.7",
    "key": "northwind",
    "label": "INV-2026-0042",
    "last_name": "Lovelace",
    "legal_name": "Northwind Trading AS",
    "locale": "en",
    "method": "bank_transfer",
    "name": "Northwind Trading",
    "new_password": "Battery-staple-7",
    "next_cursor": None,
    "next_number": "INV-2026-0043",
    "notes": "Thank you.",
    "number": "INV-2026-0042",
    "otp": "123456",
    "password": "Correct-horse-9",
    "pattern": "INV-{year}-{seq:04}",
    "payer_name": "Nordlys Outdoor AS",
    "payment_terms": "Within 30 days.",
    "permissions": ["invoices:read"],
    "phone": "+47 22 00 00 00",
    "quantity": "12.50",
    "rate": "19.00",
    "reason": "Requested by the customer",
    "reference": "RF18 5390 0754 7034",
    "refresh": "v1.K7uTz0b2q9",
    "reply_to": "billing@northwind.example",
    "role": "MEMBER",
    "roles": ["MEMBER"],
    "scopes": ["invoices:read"],
    "secret": "JBSWY3DPEHPK3PXP",
    "sender_name": "Northwind Billing",
    "slug": "northwind",
    "status": "active",
    "tax_id": "NO 987 654 321",
    "tax_rate": "19.00",
    "tenant": "northwind",
    "tenant_key": "northwind",
    "tenant_name": "Northwind Trading",
    "time_zone": "Europe/Oslo",
    "title": "Invoice INV-2026-0042 was paid",
    "token": "q9K7uTz0b2",
    "token_type": "Bearer",
    "url": "https://northwind.insula.example/",
    "user_agent": "curl/8.5.0",
    "value": "NO 987 654 321",
}


def add_examples(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's postprocessing hook: a body or answer that has no example gets one."""
    schemas = result["components"]["schemas"]
    for operation in (operation for methods in result["paths"].values() for operation in methods.values()):
        for part in (operation.get("requestBody", {}), *operation["responses"].values()):
            for media_type, content in part.get("content", {}).items():
                if media_type == "application/json" and not {"example", "examples"} & content.keys():
                    content["examples"] = {"Example": {"value": example_of(content["schema"], schemas)}}
    return result


def example_of(schema: Schema, schemas: dict[str, Schema], name: str = "") -> Any:
    """A value that `schema` allows; `name` is the member that it stands in, which says what people expect there."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas, name)
    if "example" in schema:
        return schema["example"]
    if schema.get("default") not in (None, ""):
        return schema["default"]
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    for parts in ("oneOf", "anyOf"):
        if parts in schema:
            return example_of(schema[parts][0], schemas, name)
    if "allOf" in schema:
        merged = [example_of(part, schemas, name) for part in schema["allOf"]]
        return {key: value for part in merged for key, value in part.items()} if len(merged) > 1 else merged[0]
    return _of_type(schema, schemas, name)


def _of_type(schema: Schema, schemas: dict[str, Schema], name: str) -> Any:
    kinds = schema.get("type", "object")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if name in _BY_NAME and _fits(_BY_NAME[name], kinds, schema):
        return _BY_NAME[name]
    match kind:
        case "object":
            members = schema.get("properties", {})
            return {key: example_of(member, schemas, key) for key, member in members.items()}
        case "array":
            return [example_of(schema["items"], schemas, name)] * max(1, schema.get("minItems", 1))
        case "integer" | "number":
            return max(1, schema.get("minimum", 1))
        case "boolean":
            return True
        case "null":
            return None
    text = _BY_FORMAT.get(schema.get("format", ""), name.replace("_", " ").capitalize() or "Text")
    return str(text).ljust(schema.get("minLength", 0), ".")[: schema.get("maxLength")]


def _fits(value: Any, kinds: str | list[str], schema: Schema) -> bool:
    allowed = [kinds] if isinstance(kinds, str) else kinds
    types = {str: "string", int: "integer", list: "array", type(None): "null"}
    if types[type(value)] not in allowed:
        return False
    if isinstance(value, str):
        named = schema.get("format", "") not in ("uuid", "date-time", "uri", "date")
        return named and schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
    return True
