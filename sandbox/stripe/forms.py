"""Stripe's form encoding: `line_items[0][price_data][currency]=eur` to nested values and back to names."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sandbox.stripe.errors import InvalidParameters

Raw = str | dict[str, "Raw"]

_MAX_DEPTH = 12
_NAME = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
_SEGMENT = re.compile(r"\[([^\[\]]*)\]")


def decode(pairs: Iterable[tuple[str, str]]) -> dict[str, Raw]:
    """Return the tree which the form fields describe; an array is a hash with the keys 0, 1, …

    Raises: InvalidParameters for malformed or contradictory names.
    """
    root: dict[str, Raw] = {}
    for name, value in pairs:
        match = _NAME.match(name)
        if match is None:
            raise InvalidParameters(f"Invalid parameter name: {name}", param=name)
        path = [match[1], *_SEGMENT.findall(match[2])]
        if len(path) > _MAX_DEPTH:
            raise InvalidParameters(f"Parameter nested too deeply: {name}", param=match[1])
        _put(root, path, value, name)
    return root


def _put(root: dict[str, Raw], path: list[str], value: str, name: str) -> None:
    node = root
    for segment in path[:-1]:
        child = node.setdefault(segment or str(len(node)), {})
        if not isinstance(child, dict):
            raise InvalidParameters(f"Parameter given both as a value and as a hash: {name}", param=path[0])
        node = child
    leaf = path[-1] or str(len(node))
    if isinstance(node.get(leaf), dict):
        raise InvalidParameters(f"Parameter given both as a value and as a hash: {name}", param=path[0])
    node[leaf] = value


def child_name(parent: str, key: str | int) -> str:
    """Return the form name of a member: `child_name("card", "number")` is `card[number]`."""
    return f"{parent}[{key}]" if parent else str(key)
