"""What a parameter may hold; every resource declares its parameters with these kinds."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sandbox.stripe.currencies import CURRENCIES
from sandbox.stripe.errors import InvalidParameters
from sandbox.stripe.forms import Raw, child_name


class Kind(ABC):
    """One kind of value."""

    @abstractmethod
    def parse(self, raw: Raw, name: str) -> Any:
        """Return the value that `raw` stands for.

        Raises: InvalidParameters naming the parameter `name`.
        """


def _text(raw: Raw, name: str) -> str:
    if not isinstance(raw, str):
        raise InvalidParameters("Invalid string: a hash or an array was given", param=name)
    return raw


def _refuse_empty(name: str) -> InvalidParameters:
    return InvalidParameters(
        f"You passed an empty string for '{name}'. An empty value unsets a parameter, and '{name}' cannot be"
        " unset: leave it out or give it a value.",
        code="parameter_invalid_empty",
        param=name,
    )


@dataclass(frozen=True)
class Text(Kind):
    """A string; with `clearable`, an empty one means null."""

    clearable: bool = False
    longest: int = 5000
    pattern: str | None = None

    def parse(self, raw: Raw, name: str) -> str | None:
        text = _text(raw, name)
        if text == "":
            if self.clearable:
                return None
            raise _refuse_empty(name)
        if len(text) > self.longest:
            raise InvalidParameters(
                f"Invalid string: {text[:20]}…; must be at most {self.longest} characters",
                code="parameter_invalid_string_too_long" if self.longest < 5000 else None,
                param=name,
            )
        if self.pattern is not None and re.fullmatch(self.pattern, text) is None:
            raise InvalidParameters(f"Invalid value for {name}: {text}", param=name)
        return text


@dataclass(frozen=True)
class Email(Kind):
    """An e-mail address."""

    clearable: bool = False

    def parse(self, raw: Raw, name: str) -> str | None:
        text = Text(clearable=self.clearable, longest=512).parse(raw, name)
        if text is not None and re.fullmatch(r"[^@\s]+@[^@\s]+", text) is None:
            raise InvalidParameters(f"Invalid email address: {text}", code="email_invalid", param=name)
        return text


@dataclass(frozen=True)
class Url(Kind):
    """An absolute http or https address."""

    clearable: bool = False

    def parse(self, raw: Raw, name: str) -> str | None:
        text = Text(clearable=self.clearable).parse(raw, name)
        if text is not None and re.fullmatch(r"https?://[^\s/?#]+[^\s]*", text) is None:
            raise InvalidParameters(
                f"Not a valid URL: {text}. An explicit scheme (such as https) is needed.",
                code="url_invalid",
                param=name,
            )
        return text


@dataclass(frozen=True)
class Integer(Kind):
    """A whole number within bounds."""

    least: int | None = None
    most: int | None = None

    def parse(self, raw: Raw, name: str) -> int:
        text = _text(raw, name)
        if text == "":
            raise _refuse_empty(name)
        if re.fullmatch(r"[+-]?[0-9]{1,18}", text) is None:
            raise InvalidParameters(f"Invalid integer: {text[:40]}", code="parameter_invalid_integer", param=name)
        value = int(text)
        if self.least is not None and value < self.least:
            raise InvalidParameters(
                f"This value must be greater than or equal to {self.least}.",
                code="parameter_invalid_integer",
                param=name,
            )
        if self.most is not None and value > self.most:
            raise InvalidParameters(
                f"This value must be less than or equal to {self.most}.", code="parameter_invalid_integer", param=name
            )
        return value


@dataclass(frozen=True)
class DecimalText(Kind):
    """A decimal number with at most twelve places, kept as text."""

    def parse(self, raw: Raw, name: str) -> str:
        text = _text(raw, name)
        if re.fullmatch(r"[+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,2})?", text) is None:
            raise InvalidParameters(f"Invalid decimal: {text[:40]}", param=name)
        value = Decimal(text)
        exponent = value.as_tuple().exponent
        if not isinstance(exponent, int) or exponent < -12 or value > 10**12:
            raise InvalidParameters(f"Invalid decimal: {text[:40]}", param=name)
        return format(value.normalize(), "f")


@dataclass(frozen=True)
class Flag(Kind):
    """true or false."""

    def parse(self, raw: Raw, name: str) -> bool:
        text = _text(raw, name).lower()
        if text not in ("true", "false"):
            raise InvalidParameters(f"Invalid boolean: {text[:40]}", param=name)
        return text == "true"


@dataclass(frozen=True)
class Choice(Kind):
    """One of some words."""

    choices: tuple[str, ...]
    clearable: bool = False

    def parse(self, raw: Raw, name: str) -> str | None:
        text = _text(raw, name)
        if text == "" and self.clearable:
            return None
        if text not in self.choices:
            raise InvalidParameters(f"Invalid {name}: must be one of {', '.join(self.choices)}", param=name)
        return text


@dataclass(frozen=True)
class CurrencyCode(Kind):
    """A supported three-letter currency, lower-cased."""

    def parse(self, raw: Raw, name: str) -> str:
        code = _text(raw, name).lower()
        if code not in CURRENCIES:
            raise InvalidParameters(
                f"Invalid currency: {code[:10]}. These currencies are supported: {', '.join(sorted(CURRENCIES))}",
                param=name,
            )
        return code


@dataclass(frozen=True)
class Either(Kind):
    """The first of two kinds which the shape of the value fits: a hash, or a plain value."""

    hash: Kind
    plain: Kind

    def parse(self, raw: Raw, name: str) -> Any:
        return (self.plain if isinstance(raw, str) else self.hash).parse(raw, name)


@dataclass(frozen=True)
class ListOf(Kind):
    """An array."""

    item: Kind
    most: int = 1000
    clearable: bool = False

    def parse(self, raw: Raw, name: str) -> list[Any] | None:
        if raw == "" and self.clearable:
            return None
        if not isinstance(raw, dict) or not all(key.isascii() and key.isdecimal() for key in raw):
            raise InvalidParameters("Invalid array", param=name)
        if len(raw) > self.most:
            raise InvalidParameters(f"Array {name} has more than {self.most} items", param=name)
        return [self.item.parse(raw[key], child_name(name, key)) for key in sorted(raw, key=int)]


@dataclass(frozen=True)
class Metadata(Kind):
    """Free keys; a key with null is to be removed, null as a whole removes all.

    Source: https://docs.stripe.com/api/metadata (50 keys of 40 characters, values of 500).
    """

    def parse(self, raw: Raw, name: str) -> dict[str, str | None] | None:
        if raw == "":
            return None
        if not isinstance(raw, dict):
            raise InvalidParameters("Invalid object", param=name)
        given: dict[str, str | None] = {}
        for key, value in raw.items():
            if len(key) > 40:
                raise InvalidParameters(f"Metadata keys have at most 40 characters: {key}", param=name)
            if not isinstance(value, str):
                raise InvalidParameters(f"Metadata values are strings: {key}", param=child_name(name, key))
            if len(value) > 500:
                raise InvalidParameters(
                    f"Metadata values have at most 500 characters: {key}", param=child_name(name, key)
                )
            given[key] = value or None
        if len(given) > 50:
            raise InvalidParameters("Metadata has at most 50 keys", param=name)
        return given


def merge_metadata(current: Mapping[str, str], given: Mapping[str, str | None] | None) -> dict[str, str]:
    """Return `current` with the keys of `given` set or removed; None for `given` empties it.

    Raises: InvalidParameters when more than 50 keys would result.
    """
    if given is None:
        return {}
    merged = dict(current)
    for key, value in given.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = value
    if len(merged) > 50:
        raise InvalidParameters("Metadata has at most 50 keys", param="metadata")
    return merged


@dataclass(frozen=True)
class Hash(Kind):
    """Named members, all known; with `clearable`, an empty string means null."""

    members: Mapping[str, Kind]
    required: frozenset[str] = field(default_factory=frozenset)
    clearable: bool = False

    def parse(self, raw: Raw, name: str) -> dict[str, Any] | None:
        if raw == "" and self.clearable:
            return None
        if not isinstance(raw, dict):
            raise InvalidParameters("Invalid object", param=name or None)
        for key in raw:
            if key not in self.members:
                unknown = child_name(name, key)
                raise InvalidParameters(
                    f"Received unknown parameter: {unknown}", code="parameter_unknown", param=unknown
                )
        for key in sorted(self.required - raw.keys()):
            missing = child_name(name, key)
            raise InvalidParameters(f"Missing required param: {missing}.", code="parameter_missing", param=missing)
        return {key: self.members[key].parse(value, child_name(name, key)) for key, value in raw.items()}


TIME_RANGE = Either(
    hash=Hash({bound: Integer() for bound in ("gt", "gte", "lt", "lte")}),
    plain=Integer(),
)
"""A filter on `created`: one instant or bounds, in seconds."""

ADDRESS = Hash(
    {name: Text(clearable=True) for name in ("city", "country", "line1", "line2", "postal_code", "state")},
    clearable=True,
)

CUSTOMER_SHIPPING = Hash(
    {"address": Hash(ADDRESS.members), "name": Text(), "phone": Text(clearable=True)},
    required=frozenset({"address", "name"}),
    clearable=True,
)

SHIPPING = Hash(
    {**CUSTOMER_SHIPPING.members, "carrier": Text(clearable=True), "tracking_number": Text(clearable=True)},
    required=CUSTOMER_SHIPPING.required,
    clearable=True,
)


def full_address(given: Mapping[str, str | None] | None) -> dict[str, str | None] | None:
    """Return an address with all of its six members, or None."""
    if given is None:
        return None
    return {name: given.get(name) for name in ADDRESS.members}


def declare(required: tuple[str, ...] = (), /, **members: Kind) -> Hash:
    """Return the parameters of an endpoint; `expand` is understood everywhere."""
    return Hash({**members, "expand": ListOf(Text(), most=20)}, required=frozenset(required))


def declare_list(**filters: Kind) -> Hash:
    """Return the parameters of a list endpoint: its filters and the cursor."""
    return declare(limit=Integer(least=1, most=100), starting_after=Text(), ending_before=Text(), **filters)
