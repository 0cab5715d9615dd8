"""Number series over REST."""

from dataclasses import asdict
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.rest.listing import Listing
from apps.core.rest.preconditions import VersionedView
from apps.core.rest.views import ApiView
from apps.invoices import series
from apps.invoices.series import SeriesView


class SeriesBody(serializers.Serializer[Any]):
    """What to change of a series."""

    pattern = serializers.CharField(
        max_length=series.LONGEST_PATTERN, required=False, help_text="``INV-{year}-{seq:04}``"
    )
    first_seq = serializers.IntegerField(required=False, help_text="While this year has no number.")


class SeriesAnswer(serializers.Serializer[Any]):
    """One series in the present year."""

    kind = serializers.CharField(help_text="invoice or credit_note")
    year = serializers.IntegerField()
    pattern = serializers.CharField()
    first_seq = serializers.IntegerField()
    next_seq = serializers.IntegerField()
    next_number = serializers.CharField()
    has_begun = serializers.BooleanField()


class SeriesList(ApiView):
    """The tenant's series."""

    permissions: ClassVar = {"GET": "settings:write"}
    listing = Listing(SeriesAnswer, "Both series.", keys={})

    @extend_schema(operation_id="number_series_list", tags=["invoices"], responses=listing.page)
    def get(self, request: Request) -> Response:
        """Invoices and credit notes."""
        found = series.list_series(actor=self.actor)
        return self.listed_whole(_present(row) for row in found)


class SeriesResource(VersionedView):
    """One series."""

    permissions: ClassVar = {"GET": "settings:write", "PATCH": "settings:write"}

    @extend_schema(
        operation_id="number_series_retrieve",
        summary="Read a number series",
        tags=["invoices"],
        responses=SeriesAnswer,
    )
    def get(self, request: Request, kind: str) -> Response:
        """How the next number of `kind` (``invoice``, ``credit_note``) is written."""
        return self._answer(series.get_series(actor=self.actor, kind=kind.upper()))

    @extend_schema(
        operation_id="number_series_update",
        tags=["invoices"],
        request=SeriesBody,
        responses=SeriesAnswer,
    )
    def patch(self, request: Request, kind: str) -> Response:
        """Change how the next numbers are written; those given stay, and none is left out."""
        series.get_series(actor=self.actor, kind=kind.upper())
        changes, expected = self.read_body(SeriesBody), self.expected_versions()
        return self._answer(series.update_series(actor=self.actor, kind=kind.upper(), expected=expected, **changes))

    def _answer(self, found: SeriesView) -> Response:
        return self.versioned(_present(found), found.version)


def _present(found: SeriesView) -> dict[str, Any]:
    shown = asdict(found) | {"kind": found.kind.lower()}
    del shown["id"]
    return shown
