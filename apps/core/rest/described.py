"""How the OpenAPI document learns of what views declare: lists and their query strings, versions and their headers."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from apps.core.rest.preconditions import VersionedView

_TAG = {"type": "string", "example": '"3-1f0c5a9e4b7d2c68"'}
_IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description=(
        "The `ETag` of what you read. If somebody changed it since, nothing happens and the answer is 412 with the "
        "present tag. Without this header your change wins; `*` says the same. Weak tags match nothing."
    ),
)
_IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="The `ETag` of what you have. If that is the present answer, this one is 304 without a body.",
)

KEY_HEADER = "Idempotency-Key"
_KEY = OpenApiParameter(
    KEY_HEADER,
    {"type": "string", "minLength": 1, "maxLength": 255},
    OpenApiParameter.HEADER,
    description=(
        "1 to 255 visible ASCII characters of your choice. The same call with the same key within 24 hours has no "
        "second effect and gets the first answer with `Idempotent-Replayed: true`."
    ),
    examples=[OpenApiExample("A UUID", value="5f1c0c0e-7a1b-4d53-9d0e-0a4f4e0f6a55")],
)


class DescribedSchema(AutoSchema):
    """Operations with what their views' `Listing` and `VersionedView` add, and the key that unsafe calls may carry."""

    def get_override_parameters(self) -> Any:
        """Query strings and headers beside those that the view itself names."""
        return [*super().get_override_parameters(), *self._of_listing(), *self._of_versions(), *self._of_key()]

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        """The operation; what has a version names its entity tag, and what may be refused for it says so."""
        operation = super().get_operation(*args, **kwargs)
        if operation is None or not isinstance(self.view, VersionedView):
            return operation
        answers = operation["responses"]
        if self.method == "GET":
            answers["304"] = {"description": "You have the present answer."}
        elif self.method in ("PUT", "PATCH", "DELETE"):
            answers["412"] = {"description": "Somebody changed it since you read it; `ETag` names the present one."}
        told = {"description": "Names this state; see `If-Match`.", "schema": _TAG}
        for status in answers.keys() & {"200", "304", "412"}:
            answers[status].setdefault("headers", {})["ETag"] = told
        operation["responses"] = dict(sorted(answers.items()))
        return operation

    def _of_listing(self) -> list[OpenApiParameter]:
        listing = getattr(self.view, "listing", None)
        if listing is None or self.method != "GET":
            return []
        found: list[OpenApiParameter] = (
            listing.detail_parameters if getattr(self.view, "is_one", False) else listing.parameters
        )
        return found

    def _of_key(self) -> list[OpenApiParameter]:
        # Without credentials a key counts only where the body says whose it is.
        takes_one = self.view.authentication_classes or getattr(self.view, "repeatable_by", None)
        return [_KEY] if takes_one and self.method in ("POST", "PUT", "PATCH", "DELETE") else []

    def _of_versions(self) -> list[OpenApiParameter]:
        if not isinstance(self.view, VersionedView):
            return []
        return {"GET": [_IF_NONE_MATCH], "PUT": [_IF_MATCH], "PATCH": [_IF_MATCH], "DELETE": [_IF_MATCH]}.get(
            self.method, []
        )
