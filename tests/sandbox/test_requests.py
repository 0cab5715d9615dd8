"""What the sandbox takes, held against the SDK's parameter types; and what of it the platform uses."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import stripe

from sandbox.stripe.parameters import Hash, Kind, ListOf
from sandbox.stripe.resources import ROUTES
from sandbox.stripe.routing import Route
from tests.sandbox.process import REPOSITORY

_CALL = re.compile(r"\.v1((?:\.[a-z_]+)+)\(")


@cache
def _operations() -> dict[tuple[str, str], type[Any]]:
    """Return the parameter class of every endpoint that the SDK's services call."""
    found: dict[tuple[str, str], type[Any]] = {}
    for source in sorted(Path(stripe.__file__).parent.rglob("_*_service.py")):
        module = "stripe." + ".".join(source.relative_to(Path(stripe.__file__).parent).with_suffix("").parts)
        for function, method, address in _requests(ast.parse(source.read_text())):
            annotation = next((item.annotation for item in function.args.args if item.arg == "params"), None)
            names = re.findall(r"([A-Za-z]+Params)", ast.unparse(annotation)) if annotation else []
            if names:
                found[method, re.sub(r"\{\w+\}", "{}", address)] = _params_class(module, names[-1])
    return found


def _requests(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef, str, str]]:
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        texts = [
            node.value for node in ast.walk(function) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        methods = [text for text in texts if text in ("get", "post", "delete")]
        addresses = [text for text in texts if text.startswith("/v1/")]
        if methods and addresses:
            yield function, methods[0].upper(), addresses[0]


def _params_class(module: str, name: str) -> type[Any]:
    folder = ".".join(["stripe.params", *module.split(".")[1:-1]])
    snake = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    loaded: type[Any] = getattr(importlib.import_module(f"{folder}._{snake}"), name)
    return loaded


def _hints(cls: Any) -> dict[str, Any]:
    return {name: hint for base in cls.__mro__ for name, hint in getattr(base, "__annotations__", {}).items()}


def _strange(kind: Hash, cls: Any, path: str) -> list[str]:
    """Return the members of a parameter that the SDK's type does not have."""
    hints, module = _hints(cls), vars(importlib.import_module(cls.__module__))
    found = [f"{path}{name}" for name in kind.members.keys() - hints.keys() - {"expand"}]
    for name, member in kind.members.items():
        inner = _inner(member)
        if inner is None or name not in hints:
            continue
        text = getattr(hints[name], "__forward_arg__", str(hints[name]))
        classes = [module[part] for part in re.findall(r"\b([A-Z]\w+Params\w+)\b", text) if part in module]
        if classes:
            tried = [_strange(inner, candidate, f"{path}{name}.") for candidate in classes]
            found += min(tried, key=len)
    return found


def _inner(kind: Kind) -> Hash | None:
    if isinstance(kind, ListOf):
        kind = kind.item
    return kind if isinstance(kind, Hash) and kind.members else None


def _shape(route: Route) -> tuple[str, str]:
    return route.method, re.sub(r"<\w+>", "{}", route.path)


# Stripe's own description has it; the SDK reads a charge's refunds by `refunds.list`.
UNKNOWN_TO_THE_SDK = {("GET", "/v1/charges/{}/refunds")}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_parameter_is_one_that_the_sdk_declares(route: Route) -> None:
    declared = _operations().get(_shape(route))
    if declared is None:
        assert route.parameters.members.keys() <= {"expand"} or _shape(route) in UNKNOWN_TO_THE_SDK
        return
    assert _strange(route.parameters, declared, "") == []


def _used_by_the_platform() -> set[str]:
    used: set[str] = set()
    for source in sorted((REPOSITORY / "apps").rglob("*.py")):
        used |= {call.lstrip(".") for call in _CALL.findall(source.read_text())}
    return used


def test_what_the_platform_calls_is_served(capsys: pytest.CaptureFixture[str]) -> None:
    served = {_shape(route) for route in ROUTES}
    client = stripe.StripeClient("sk_test_" + 24 * "0")
    used: set[tuple[str, str]] = set()
    for call in sorted(_used_by_the_platform()):
        *services, verb = call.split(".")
        service: Any = client.v1
        for name in services:
            service = getattr(service, name)
        source = Path(importlib.import_module(type(service).__module__).__file__ or "")
        used |= {
            (method, re.sub(r"\{\w+\}", "{}", address))
            for function, method, address in _requests(ast.parse(source.read_text()))
            if function.name == verb
        }
    with capsys.disabled():
        print(f"\nStripe sandbox: {len(served)} endpoints served, {len(used)} of them used by the platform")
    assert used, "no call of the platform was found"
    assert not used - served
