"""What a list offers its callers, declared once: order, filters, sparse fields, relations to bring along.

A view names its `Listing`; whatever a query string asks for beyond it is refused with what there is. The OpenAPI
document reads the same declaration (`described.py`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast

from django.utils.datastructures import MultiValueDict
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from apps.core.actor import Actor
from apps.core.errors import FieldError, ValidationFailed
from apps.core.rest.answers import page_of
from apps.core.rest.ordering import AGE, NEWEST, Order, SortKeys
from apps.core.rest.paging import DEFAULT_LIMIT, MAX_LIMIT, PageRequest, order_names

Row = dict[str, Any]
Shape = type[serializers.Serializer[Any]]
BY_AGE: SortKeys = {"created_at": AGE}
# How a switch may stand in a query; left empty, it is off.
_SWITCHED = frozenset({"true", "false", "1", "0", ""})


@dataclass(frozen=True, slots=True)
class Expansion:
    """A relation that comes along on request, for all rows at once.

    `key` says what a row points at, `load` fetches those for the caller or refuses him. What is not found is null.
    """

    name: str
    told: str
    key: Callable[[Row], Any]
    load: Callable[[Actor, list[Any]], Mapping[Any, Any]]


@dataclass(frozen=True)
class Listing:
    """A list of `row`s. With `keys` it has pages and orders; without, it is whole and as it is.

    `told` describes a page. `filters` are the query parameters beside those that every list has.
    """

    row: Shape
    told: str
    keys: SortKeys = field(default_factory=lambda: BY_AGE)
    filters: Sequence[OpenApiParameter] = ()
    expansions: tuple[Expansion, ...] = ()
    default: Order = NEWEST

    @cached_property
    def page(self) -> Shape:
        """The shape of a page, in which a row may be asked for in part."""
        return page_of(_part_of(self.row), self.told)

    @cached_property
    def names(self) -> frozenset[str]:
        """Every query parameter there is."""
        return frozenset(parameter.name for parameter in self.parameters)

    @cached_property
    def fields(self) -> list[str]:
        """Every field of a row."""
        return list(self.row().fields)

    @cached_property
    def switches(self) -> frozenset[str]:
        """The filters that are true or false."""
        return frozenset(parameter.name for parameter in self.filters if parameter.type is bool)

    @cached_property
    def _looked_into(self) -> frozenset[str]:
        return self.switches | {"fields", "expand"}

    @property
    def parameters(self) -> list[OpenApiParameter]:
        """What the query string may hold, for the OpenAPI document and for refusals."""
        found = list(self.filters)
        if self.keys:
            orders, most = order_names(self.keys), {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}
            told = f"By what, `-` for the largest or latest first; `{self.default.name}` unless given."
            found += [
                OpenApiParameter("limit", {**most, "default": DEFAULT_LIMIT}, description="Rows a page."),
                OpenApiParameter("cursor", str, description="`next_cursor` of the page before, in the same order."),
                OpenApiParameter("ordering", {"type": "string", "enum": orders}, description=told),
            ]
        told = "Only these fields of each row, by commas. Unless given, all."
        return [*found, _names("fields", self.fields, told), *self.detail_parameters]

    @property
    def detail_parameters(self) -> list[OpenApiParameter]:
        """What the query string of one row's own resource may hold."""
        if not self.expansions:
            return []
        told = "Bring these along in the same answer, by commas. " + " ".join(one.told for one in self.expansions)
        return [_names("expand", [one.name for one in self.expansions], told)]

    def also(self, *expansions: Expansion) -> "Listing":
        """The same with more relations."""
        return replace(self, expansions=(*self.expansions, *expansions))

    def page_request(self, query: Mapping[str, str]) -> PageRequest:
        """Which page is asked for.

        Raises:
            ValidationFailed: malformed, or the query string names something that the list does not have.
        """
        self.check(query, self.names)
        return PageRequest.from_query(query, self.keys, self.default)

    def check(self, query: Mapping[str, str], allowed: Iterable[str]) -> None:
        """Refuse a query string with names that mean nothing here, or that stand twice and so mean two things.

        Raises:
            ValidationFailed: one is unknown; the refusal lists those that are known. One stands more than once.
        """
        known, twice = frozenset(allowed), repeated(query)
        is_plain = query.keys() <= known and query.keys().isdisjoint(self._looked_into)
        if is_plain and not twice and not _unstorable(query):
            return
        told = f"There is no such parameter; there are {', '.join(sorted(known))}." if known else "There are none."
        errors = [FieldError(name, "unknown_parameter", told) for name in sorted(query.keys() - known)]
        errors += [FieldError(name, "duplicate", "It stands more than once.") for name in twice]
        told = "The text holds a null character."
        errors += [FieldError(name, "null_characters_not_allowed", told) for name in _unstorable(query)]
        errors += [
            FieldError(name, "invalid", "It is true or false.")
            for name in sorted(self.switches & known & query.keys())
            if query[name].lower() not in _SWITCHED
        ]
        errors += _unknown("fields", query, self.fields) if "fields" in known else []
        errors += _unknown("expand", query, [one.name for one in self.expansions]) if "expand" in known else []
        if errors:
            raise ValidationFailed(errors)

    def shown(self, actor: Actor, rows: list[Row], query: Mapping[str, str]) -> list[Row]:
        """`rows` with the relations and in the fields that a checked query string asks for.

        Raises:
            PermissionRefused: the actor may not see a relation.
        """
        wanted = _listed(query, "expand")
        brought = {one.name: _brought(one, actor, rows) for one in self.expansions if one.name in wanted}
        kept = set(_listed(query, "fields"))
        return [
            {name: value for name, value in row.items() if not kept or name in kept}
            | {name: values[number] for name, values in brought.items()}
            for number, row in enumerate(rows)
        ]


def repeated(query: Mapping[str, str]) -> list[str]:
    """The names that stand more than once in a query string."""
    return [name for name, values in query.lists() if len(values) > 1] if isinstance(query, MultiValueDict) else []


def _unstorable(query: Mapping[str, str]) -> list[str]:
    return [name for name, value in query.items() if "\x00" in value]


def _brought(one: Expansion, actor: Actor, rows: list[Row]) -> list[Any]:
    keys = [one.key(row) for row in rows]
    found = one.load(actor, list(dict.fromkeys(key for key in keys if key is not None)))
    return [found.get(key) for key in keys]


def _listed(query: Mapping[str, str], name: str) -> list[str]:
    return [part.strip() for part in query.get(name, "").split(",") if part.strip()]


def _unknown(name: str, query: Mapping[str, str], known: list[str]) -> list[FieldError]:
    unknown = [word for word in _listed(query, name) if word not in known]
    told = f"“{', '.join(unknown)[:100]}” is none of: {', '.join(known)}."
    return [FieldError(name, "unknown", told)] if unknown else []


def _names(name: str, known: list[str], told: str) -> OpenApiParameter:
    shape = {"type": "array", "items": {"type": "string", "enum": known}}
    return OpenApiParameter(name, shape, description=told, style="form", explode=False)


def _part_of(row: Shape) -> Shape:
    """`row` without any field that must be there, because ``fields`` leaves some out."""
    fields: dict[str, Any] = {}
    for name, one in row().fields.items():
        fields[name] = deepcopy(one)
        # What a serializer makes of its fields are copies by these.
        fields[name]._kwargs = {**vars(one)["_kwargs"], "required": False}
    of = row.__name__.removesuffix("Answer").removesuffix("Serializer").removesuffix("Listed")
    made = serializers.SerializerMetaclass(f"{of}Listed", (serializers.Serializer,), {"__doc__": row.__doc__, **fields})
    return cast(Shape, made)
