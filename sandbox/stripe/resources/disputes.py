"""Disputes: read, answered with evidence, given up.

Source: https://docs.stripe.com/api/disputes.
"""

from __future__ import annotations

from sandbox.stripe import disputes
from sandbox.stripe.calls import Call
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.events import emit
from sandbox.stripe.objects import Filter, equals
from sandbox.stripe.pagination import list_page
from sandbox.stripe.parameters import TIME_RANGE, Flag, Hash, Metadata, Text, declare, declare_list, merge_metadata
from sandbox.stripe.routing import Route
from sandbox.stripe.shapes import JsonObject


def _retrieve(call: Call) -> JsonObject:
    return call.target(disputes.KIND, "dispute")


def _list(call: Call) -> JsonObject:
    filters: list[Filter] = [
        equals(name, call.params[name]) for name in ("charge", "payment_intent") if name in call.params
    ]
    return list_page(call, disputes.KIND, filters, url="/v1/disputes")


def _update(call: Call) -> JsonObject:
    dispute, before = (call.target(disputes.KIND, "dispute") for _ in range(2))
    if "metadata" in call.params:
        dispute["metadata"] = merge_metadata(dispute["metadata"], call.params["metadata"])
    if "evidence" in call.params:
        _require_open(dispute, "updated with evidence")
        dispute["evidence"] |= call.params["evidence"]
        dispute["evidence_details"]["has_evidence"] = any(
            value for name, value in dispute["evidence"].items() if name != "enhanced_evidence"
        )
        if call.params.get("submit", True):
            disputes.submit(call, dispute)
    if dispute != before:
        call.objects.replace(dispute)
        emit(call, "charge.dispute.updated", dispute, before=before)
    return dispute


def _close(call: Call) -> JsonObject:
    dispute = call.target(disputes.KIND, "dispute")
    _require_open(dispute, "closed")
    return disputes.close(call, dispute, won=False)


def _require_open(dispute: JsonObject, action: str) -> None:
    if not disputes.is_open(dispute):
        raise InvalidRequest(f"This dispute has the status {dispute['status']} and cannot be {action} any more.")


_ITEM = "/v1/disputes/<dispute>"
_TEXT = Text(clearable=True, longest=20_000)

ROUTES = (
    Route("GET", "/v1/disputes", _list, declare_list(charge=Text(), created=TIME_RANGE, payment_intent=Text())),
    Route("GET", _ITEM, _retrieve, declare()),
    Route(
        "POST",
        _ITEM,
        _update,
        declare(
            evidence=Hash(dict.fromkeys(disputes.EVIDENCE_TEXTS, _TEXT)),
            metadata=Metadata(),
            submit=Flag(),
        ),
    ),
    Route("POST", f"{_ITEM}/close", _close, declare()),
)
