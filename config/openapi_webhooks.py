"""The OpenAPI document's `webhooks`: each event of the catalogue as the request that an endpoint gets."""

from typing import Any

from apps.webhooks.catalogue import EVENT_TYPES, EVERYTHING, VERSION, EventType, Resource
from config.openapi_examples import example_of

Schema = dict[str, Any]

SCHEME, TAG = "webhookSignature", "Webhook events"
_EVENT_ID = "evt_0199c0de7a547c0e9d0b6a4f0f6a1c11"
# Whose answer stands in `data`, by its name among the document's schemas.
_DATA = {
    Resource.CLIENT: "ClientAnswer",
    Resource.INVOICE: "InvoiceAnswer",
    Resource.PAYMENT: "PaymentAnswer",
    Resource.MEMBER: "MemberAnswer",
}
_TEST: Schema = {
    "type": "object",
    "required": ["message"],
    "properties": {"message": {"type": "string", "example": "This is a test of your webhook endpoint."}},
}
# What the status is after the event, where an example shall not contradict it.
_STATUS = {
    "invoice.created": "draft",
    "invoice.paid": "paid",
    "invoice.void": "void",
    "invoice.uncollectible": "uncollectible",
    "payment.failed": "pending",
    "payment.refunded": "refunded",
    "member.banned": "BANNED",
}
_STATUS_OF = {Resource.INVOICE: "open", Resource.PAYMENT: "succeeded", Resource.MEMBER: "ACTIVE"}
_PARAMETERS: dict[str, Schema] = {
    "WebhookId": {
        "name": "webhook-id",
        "in": "header",
        "required": True,
        "description": "The event's `id`. It is the same in each attempt and replay: whoever has seen it does nothing.",
        "schema": {"type": "string", "pattern": "^evt_[0-9a-f]{32}$"},
        "example": _EVENT_ID,
    },
    "WebhookTimestamp": {
        "name": "webhook-timestamp",
        "in": "header",
        "required": True,
        "description": "When this attempt was made, in seconds since 1970. Refuse what is older than five minutes.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
        "example": "1774949291",
    },
    "WebhookSignature": {
        "name": "webhook-signature",
        "in": "header",
        "required": True,
        "description": (
            "One signature, or several separated by spaces while a former secret is still good; one that fits is "
            "enough."
        ),
        "schema": {"type": "string"},
        "example": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    },
}
_VERIFICATION = (
    "How a receiver knows that a request is ours ([Standard Webhooks](https://www.standardwebhooks.com), whose "
    "libraries do this): base64-decode what follows `whsec_` in the endpoint's secret; take the HMAC-SHA256 of "
    "`<webhook-id>.<webhook-timestamp>.<body>`, over the body's bytes exactly as they came; compare its base64, in "
    "constant time, with what follows `v1,` in each of the signatures in `webhook-signature`. Refuse the request if "
    "none is the same, or if `webhook-timestamp` is more than five minutes away from now."
)
_TAKEN = "Taken. Answer within ten seconds; the body is of no matter, so work later on what takes longer."
_GONE = "The endpoint is no more: it is disabled and gets nothing again until somebody enables it."
_ELSE = (
    "Not taken, as no answer within ten seconds and every redirect is: tried again, at growing intervals, for more "
    "than a day; then given up, to be replayed by hand. An endpoint that fails for five days is disabled."
)


def describe_webhooks(result: Schema, **_: Any) -> Schema:
    """drf-spectacular's postprocessing hook, after the one that makes examples."""
    components = result["components"]
    components["securitySchemes"][SCHEME] = {
        "type": "apiKey",
        "in": "header",
        "name": "webhook-signature",
        "description": _VERIFICATION,
    }
    components.setdefault("parameters", {}).update(_PARAMETERS)
    components["schemas"] |= {_envelope_name(resource): _envelope(resource) for resource in Resource}
    result["webhooks"] = {each.name: {"post": _operation(each, components["schemas"])} for each in EVENT_TYPES}
    return result


def _operation(each: EventType, schemas: dict[str, Schema]) -> Schema:
    schema = {
        "allOf": [
            {"$ref": f"#/components/schemas/{_envelope_name(each.resource)}"},
            {"type": "object", "properties": {"type": {"const": each.name}}},
        ]
    }
    listening = f"Sent to endpoints that listen to `{each.name}`, `{each.family}` or `{EVERYTHING}`. {_after(each)}"
    return {
        "operationId": f"webhook_{each.name.replace('.', '_')}",
        "summary": each.name,
        "description": f"{each.told} {listening}" if each.resource is not Resource.TEST else each.told,
        "tags": [TAG],
        "security": [{SCHEME: []}],
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in _PARAMETERS],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": schema,
                    "examples": {each.name: {"value": _example(each, schemas)}},
                }
            },
        },
        "responses": {
            "2XX": {"description": _TAKEN},
            "410": {"description": _GONE},
            "default": {"description": _ELSE},
        },
    }


def _after(each: EventType) -> str:
    return f"`data` is the {each.resource.value} as the API answers it, as it was at `timestamp`."


def _envelope_name(resource: Resource) -> str:
    return f"{resource.value.capitalize()}Event"


def _envelope(resource: Resource) -> Schema:
    names = [each.name for each in EVENT_TYPES if each.resource is resource]
    data = {"$ref": f"#/components/schemas/{_DATA[resource]}"} if resource in _DATA else _TEST
    return {
        "type": "object",
        "description": "What an endpoint is told. Members may be added, never renamed.",
        "required": ["id", "type", "version", "timestamp", "tenant", "data"],
        "properties": {
            "id": {
                "type": "string",
                "pattern": "^evt_[0-9a-f]{32}$",
                "description": "The event's, as in the header `webhook-id`.",
            },
            "type": {"type": "string", "enum": names},
            "version": {"type": "string", "const": VERSION, "description": "Counts what would break receivers."},
            "timestamp": {"type": "string", "format": "date-time", "description": "When it happened."},
            "tenant": {
                "type": "object",
                "description": "The workspace in which it happened.",
                "required": ["key", "slug"],
                "properties": {"key": {"type": "string"}, "slug": {"type": "string"}},
            },
            "data": data,
        },
    }


def _example(each: EventType, schemas: dict[str, Schema]) -> Schema:
    data = _TEST if each.resource is Resource.TEST else schemas[_DATA[each.resource]]
    shown: Schema = example_of(data, schemas)
    if status := _STATUS.get(each.name) or _STATUS_OF.get(each.resource):
        shown["status"] = status
    if each.resource is Resource.CLIENT and each.name != "client.deleted":
        shown["deleted_at"] = None
    return {
        "id": _EVENT_ID,
        "type": each.name,
        "version": VERSION,
        "timestamp": "2026-03-31T09:28:11.482913Z",
        "tenant": {"key": "nw7k2m9q", "slug": "northwind"},
        "data": shown,
    }
