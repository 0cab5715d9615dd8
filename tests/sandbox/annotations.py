"""Holds API objects against the annotations of stripe-python's classes."""

from __future__ import annotations

import ast
import inspect
import sys
import typing
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib import import_module
from types import NoneType, UnionType
from typing import Any, ClassVar, ForwardRef, Literal, Union, get_args, get_origin

from stripe import ListObject, StripeObject
from stripe._object_classes import OBJECT_CLASSES, get_object_class
from stripe._stripe_object import UntypedStripeObject

# The SDK still declares them; at this API version Stripe's own description has neither.
ALLOWED_MISSING = frozenset({("product", "type"), ("subscription_item", "plan")})


def findings(value: dict[str, Any], path: str = "") -> list[str]:
    """Return what is missing, mistyped, not in an enum or unknown in an object and everything below it."""
    kind = value["object"]
    path = path or kind
    if kind not in OBJECT_CLASSES:
        return [f"{path}: the SDK has no object {kind!r}"]
    if value.get("deleted") is True and kind != "discount":
        return [] if value.keys() == {"id", "object", "deleted"} else [f"{path}: a deleted object has other members"]
    return _check_class(value, get_object_class("V1", kind), path)


def _check_class(value: Any, cls: type[StripeObject], path: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path}: {value!r} is not a hash"]
    known = _annotations(cls)
    kind = str(value.get("object", ""))
    found = [f"{path}.{name}: unknown" for name in value.keys() - known.keys()]
    for name, (annotation, module) in known.items():
        here = f"{path}.{name}"
        if name in value:
            found += _check(value[name], annotation, module, here)
        elif not _takes_null(annotation) and (kind, name) not in ALLOWED_MISSING:
            found.append(f"{here}: missing")
    if kind == "event":
        found += findings(value["data"]["object"], f"{path}.data.object")
    return found


def _check(value: Any, annotation: Any, module: str, path: str) -> list[str]:
    if isinstance(annotation, str):
        annotation = ForwardRef(annotation)
    if isinstance(annotation, ForwardRef):
        return _check(value, _resolve(annotation.__forward_arg__, module), module, path)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return _check_union(value, arguments, module, path)
    if origin is Literal:
        return [] if value in arguments else [f"{path}: {value!r} is none of {arguments}"]
    if origin in (list, typing.List):  # noqa: UP006
        if not isinstance(value, list):
            return [f"{path}: {value!r} is not an array"]
        return [
            problem
            for index, item in enumerate(value)
            for problem in _check(item, arguments[0], module, f"{path}[{index}]")
        ]
    if origin is ListObject:
        if not isinstance(value, dict) or value.get("object") != "list":
            return [f"{path}: not a list object"]
        return [
            problem
            for index, item in enumerate(value["data"])
            for problem in _check(item, arguments[0], module, f"{path}.data[{index}]")
        ]
    if origin in (dict, UntypedStripeObject):
        if not isinstance(value, dict):
            return [f"{path}: {value!r} is not a hash"]
        inner = arguments[-1]
        return [problem for name, item in value.items() for problem in _check(item, inner, module, f"{path}.{name}")]
    return _check_plain(value, annotation, path)


def _check_plain(value: Any, annotation: Any, path: str) -> list[str]:
    if annotation is Any or annotation is object:
        return []
    if annotation is NoneType:
        return [] if value is None else [f"{path}: {value!r} is not null"]
    if annotation is Decimal:
        return [] if _is_decimal(value) else [f"{path}: {value!r} is not a decimal in a string"]
    if annotation is float:
        right = isinstance(value, (int, float)) and not isinstance(value, bool)
    elif annotation in (int, str, bool):
        right = type(value) is annotation
    elif inspect.isclass(annotation) and issubclass(annotation, UntypedStripeObject):
        right = isinstance(value, dict)
    elif inspect.isclass(annotation) and issubclass(annotation, StripeObject):
        if isinstance(value, dict) and isinstance(value.get("object"), str):
            expected = getattr(annotation, "OBJECT_NAME", None)
            if expected is not None and value["object"] != expected:
                return [f"{path}: is a {value['object']}, not a {expected}"]
            return findings(value, path)
        return _check_class(value, annotation, path)
    else:
        return [f"{path}: the checker does not know {annotation!r}"]
    return [] if right else [f"{path}: {value!r} is not {annotation.__name__}"]


def _check_union(value: Any, members: tuple[Any, ...], module: str, path: str) -> list[str]:
    # Enums are annotated as open, `Literal[…] | str`; here a value outside the literal is a finding.
    if any(get_origin(member) is Literal for member in members):
        members = tuple(member for member in members if member is not str)
    if value is None and NoneType in members:
        return []
    if isinstance(value, dict):
        members = tuple(member for member in members if member is not str)
    tried = [_check(value, member, module, path) for member in members if member is not NoneType]
    return min(tried, key=len)


def _takes_null(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, UnionType) and NoneType in get_args(annotation)


def _is_decimal(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        Decimal(value)
    except InvalidOperation:
        return False
    return True


@cache
def _annotations(cls: type[StripeObject]) -> dict[str, tuple[Any, str]]:
    known: dict[str, tuple[Any, str]] = {}
    for base in reversed(cls.__mro__):
        if base is StripeObject or not issubclass(base, StripeObject):
            continue
        for name, annotation in inspect.get_annotations(base).items():
            if get_origin(annotation) is not ClassVar and not name.startswith("_"):
                known[name] = (annotation, base.__module__)
    return known


@cache
def _imported_for_types(module: str) -> dict[str, tuple[str, str]]:
    """Return the names a module imports for type checkers only, with where they come from."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {
        alias.asname or alias.name: (node.module or "", alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


@cache
def _resolve(name: str, module: str) -> Any:
    own = getattr(sys.modules[module], name, None)
    if own is not None:
        return own
    source, original = _imported_for_types(module)[name]
    return getattr(import_module(source), original)
