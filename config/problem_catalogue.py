"""Every code that the API can answer with, gathered from the errors themselves."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pkgutil import walk_packages

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt

import apps
from apps.core.errors import DomainError
from apps.core.rest import problems
from apps.core.rest.field_codes import MEANINGS
from apps.core.rest.refusals import MethodNotAllowed

_HEAD = """# Problem codes

Every refusal of the API is a problem document (RFC 9457). Its `code` never changes its meaning; its `type` leads to
`/api/docs/problems`, which shows the same list. Written by `manage.py write_problem_codes`.
"""


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """One `code`: its status, its title, and what it means."""

    code: str
    status: int
    title: str
    meaning: str


def problem_kinds() -> list[ProblemKind]:
    """All codes, by name; of errors that share one, the most general speaks."""
    import_module(settings.ROOT_URLCONF)
    for module in walk_packages(apps.__path__, f"{apps.__name__}."):
        if module.name.endswith(".errors"):
            import_module(module.name)
    found: dict[str, ProblemKind] = {}
    for error in _subclasses(DomainError):
        meaning = " ".join((error.__doc__ or "").split())
        found.setdefault(error.code, ProblemKind(error.code, error.status, error.title, meaning))
    return sorted(found.values(), key=lambda kind: kind.code)


def as_markdown() -> str:
    """The text of ``docs/problems.md``."""
    kinds = [f"| `{kind.code}` | {kind.status} | {kind.title} | {kind.meaning} |" for kind in problem_kinds()]
    fields = [f"| `{code}` | {meaning} |" for code, meaning in sorted(MEANINGS.items())]
    return "\n".join(
        [
            _HEAD,
            *("| code | status | title | when |", "|---|---|---|---|", *kinds, ""),
            *("## Codes of fields", "", "The `code` of each entry in `errors` of a `validation_failed`.", ""),
            *("| code | when |", "|---|---|", *fields, ""),
        ]
    )


@csrf_exempt
@cache_control(private=True, max_age=3600)
def problems_page(request: HttpRequest) -> HttpResponse:
    """The catalogue for people; `type` of every problem document leads to its row.

    It is in the reader's language and brings his cookie for forms, so nobody else may be given it.
    """
    if request.method not in ("GET", "HEAD"):
        response = problems.respond(request, MethodNotAllowed())
        response["Allow"] = "GET, HEAD"
        return response
    context = {"kinds": problem_kinds(), "fields": sorted(MEANINGS.items())}
    return render(request, "api/problems.html", context)


def _subclasses(base: type[DomainError]) -> Iterator[type[DomainError]]:
    # Breadth first: a parent comes before what only refines it.
    level = sorted(base.__subclasses__(), key=lambda error: (error.__module__, error.__name__))
    yield from level
    for error in level:
        yield from _subclasses(error)
