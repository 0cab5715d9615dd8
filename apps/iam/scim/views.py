"""SCIM 2.0 on a tenant's host (RFC 7644): people and groups for the directory that shows a token of the tenant."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from pydantic import ValidationError
from scim2_models import Context, ListResponse, PatchOp, ResponseParameters, SCIMException, SearchRequest
from scim2_models import Resource as AnyResource

from apps.core.actor import ActorKind
from apps.core.errors import DomainError, NotAuthenticated, NotFound
from apps.core.rest import parsing
from apps.core.tenants import public_scope
from apps.iam import standing
from apps.iam.scim import answers, groups, resources, users
from apps.iam.scim.resources import PROVIDER
from apps.iam.scim.tokens import Directory

LONGEST_BODY = 1024 * 1024
# Each operation looks at every member of a group, and each term of a filter at every row: their product is bounded.
MOST_OPERATIONS, LONGEST_PATHS, LONGEST_FILTER = 100, 10_000, 1000
View = Callable[..., HttpResponse]


class _DirectoryRequest(HttpRequest):
    """A request after the workspace middleware has found whose token it shows."""

    directory: Directory


class _Wrong(SCIMException):
    """A refusal with a status of its own."""

    def __init__(self, status: int, detail: str, scim_type: str = "") -> None:
        super().__init__(detail=detail)
        self.status, self.scim_type = status, scim_type


def scim(*methods: str) -> Callable[[View], Any]:
    """A SCIM view: for directories alone, in public scope, with refusals in SCIM's form."""

    def decorate(view: View) -> Any:
        @csrf_exempt
        @wraps(view)
        def wrapped(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            try:
                actor = getattr(request, "actor", None)
                if actor is None or actor.kind is not ActorKind.DIRECTORY:
                    raise NotAuthenticated("Send a directory token of this workspace.")
                if request.method not in methods:
                    raise _Wrong(405, "This method is not known here.")
                with public_scope(), PROVIDER:
                    return view(request, **kwargs)
            except (SCIMException, ValidationError, DomainError) as error:
                response = answers.refusal(error)
                if response.status_code == 405:
                    response["Allow"] = ", ".join(methods)
                return response

        return wrapped

    return decorate


@scim("GET")
def config(request: HttpRequest) -> HttpResponse:
    """What the service can do."""
    _refuse_filter(request)
    return answers.answer(_described(resources.CONFIG, f"{answers.base_of(request)}/ServiceProviderConfig"))


@scim("GET")
def resource_types(request: HttpRequest, name: str = "") -> HttpResponse:
    """Users and groups."""
    base = answers.base_of(request)
    known = {str(row.name): row for row in PROVIDER.resource_types}
    return _catalogue(request, known, f"{base}/ResourceTypes", name)


@scim("GET")
def schemas(request: HttpRequest, name: str = "") -> HttpResponse:
    """Their attributes."""
    base = answers.base_of(request)
    known = {str(row.id): row for row in PROVIDER.schemas}
    return _catalogue(request, known, f"{base}/Schemas", name)


@scim("GET", "POST")
def user_list(request: HttpRequest) -> HttpResponse:
    """Every user whom the directory may see, or a new one."""
    source, base = _source(request), answers.base_of(request)
    if request.method == "GET":
        return _page(request, resources.User, _all_users(request), request.GET.dict())
    said = resources.User.model_validate(_body(request), scim_ctx=Context.RESOURCE_CREATION_REQUEST)
    if "active" not in said.model_fields_set:
        said.active = True
    return _answer(request, answers.user(users.create(source, said), base), Context.RESOURCE_CREATION_RESPONSE, 201)


@scim("POST")
def user_search(request: HttpRequest) -> HttpResponse:
    """Users by a query in the body."""
    return _page(request, resources.User, _all_users(request), _body(request))


@scim("GET", "PUT", "PATCH", "DELETE")
def user(request: HttpRequest, user_id: str) -> HttpResponse:
    """One user."""
    source, base = _source(request), answers.base_of(request)
    _take_turn(request)
    row = users.find(source, user_id)
    present = answers.user(row, base)
    if request.method == "GET":
        return _answer(request, present, Context.RESOURCE_QUERY_RESPONSE)
    _require_current(request, present)
    if request.method == "DELETE":
        users.delete(source, row)
        return HttpResponse(status=204)
    wanted, context = _changed(request, resources.User, present)
    if request.method == "PUT" and "active" not in wanted.model_fields_set:
        wanted.active = True
    return _answer(request, answers.user(users.change(source, row, wanted), base), context)


@scim("GET", "POST")
def group_list(request: HttpRequest) -> HttpResponse:
    """Every group, or a new one."""
    source, base = _source(request), answers.base_of(request)
    if request.method == "GET":
        return _page(request, resources.Group, _all_groups(request), request.GET.dict())
    said = resources.Group.model_validate(_body(request), scim_ctx=Context.RESOURCE_CREATION_REQUEST)
    return _answer(request, answers.group(groups.create(source, said), base), Context.RESOURCE_CREATION_RESPONSE, 201)


@scim("POST")
def group_search(request: HttpRequest) -> HttpResponse:
    """Groups by a query in the body."""
    return _page(request, resources.Group, _all_groups(request), _body(request))


@scim("GET", "PUT", "PATCH", "DELETE")
def group(request: HttpRequest, group_id: str) -> HttpResponse:
    """One group."""
    source, base = _source(request), answers.base_of(request)
    _take_turn(request)
    row = groups.find(source, group_id)
    present = answers.group(row, base)
    if request.method == "GET":
        return _answer(request, present, Context.RESOURCE_QUERY_RESPONSE)
    _require_current(request, present)
    if request.method == "DELETE":
        groups.delete(source, row)
        return HttpResponse(status=204)
    wanted, context = _changed(request, resources.Group, present)
    return _answer(request, answers.group(groups.change(source, row, wanted), base), context)


@scim("GET", "POST", "PUT", "PATCH", "DELETE")
def unknown(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Whatever else is asked for."""
    if rest in ("Bulk", ".search"):
        raise _Wrong(501, "This is not supported here.")
    raise NotFound("There is nothing here.")


def _source(request: HttpRequest) -> Directory:
    return cast(_DirectoryRequest, request).directory


def _take_turn(request: HttpRequest) -> None:
    # Before the look at what is changed: a directory sends several changes of one group at once, each of which is
    # written as the whole group, and a version that was named must still be the present one.
    if request.method != "GET":
        standing.take_turns(_source(request).tenant_id)


def _body(request: HttpRequest) -> Any:
    if len(request.body) > LONGEST_BODY:
        raise _Wrong(413, "The body is larger than this server accepts.")
    try:
        body = parsing.read(request.body)
    except parsing.NotInteroperable as error:
        raise _Wrong(400, str(error), "invalidSyntax") from error
    if "\\u0000" in json.dumps(body):
        raise _Wrong(400, "A value holds a character that cannot be stored.", "invalidValue")
    return body


def _changed(request: HttpRequest, model: Any, present: Any) -> tuple[Any, Context]:
    """The resource as a PUT or a PATCH wants it, and what its answer is."""
    if request.method == "PUT":
        wanted = model.model_validate(_body(request), scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST)
        wanted.replace(present)
        return wanted, Context.RESOURCE_REPLACEMENT_RESPONSE
    patch = PatchOp[model].model_validate(_body(request), scim_ctx=Context.RESOURCE_PATCH_REQUEST)
    operations = patch.operations or []
    if len(operations) > MOST_OPERATIONS or sum(len(str(item.path or "")) for item in operations) > LONGEST_PATHS:
        raise _Wrong(
            413, f"A PATCH has at most {MOST_OPERATIONS} operations; one of them may name many values.", "tooMany"
        )
    wanted = present.model_copy(deep=True)
    patch.patch(wanted)
    return wanted, Context.RESOURCE_PATCH_RESPONSE


def _answer(request: HttpRequest, found: Any, context: Context, status: int = 200) -> HttpResponse:
    names = ("attributes", "excludedAttributes")
    given = {name: request.GET[name].split(",") for name in names if request.GET.get(name)}
    wanted = ResponseParameters[type(found)].model_validate(given)  # type: ignore[misc]  # made for the class at run time
    return answers.resource(request, found, context, status=status, wanted=wanted)


def _require_current(request: HttpRequest, present: AnyResource[Any]) -> None:
    if answers.is_overtaken(request, present):
        raise _Wrong(412, "Somebody else has changed it since you read it.")


def _all_users(request: HttpRequest) -> list[resources.User]:
    base = answers.base_of(request)
    return [answers.user(row, base) for row in users.visible(_source(request).tenant_id).order_by("pk")]


def _all_groups(request: HttpRequest) -> list[resources.Group]:
    base = answers.base_of(request)
    return [answers.group(row, base) for row in groups.rows(_source(request).tenant_id).order_by("pk")]


def _page(request: HttpRequest, model: Any, found: list[Any], given: dict[str, Any]) -> HttpResponse:
    if any(len(value) > LONGEST_FILTER for value in given.values() if isinstance(value, str)):
        raise _Wrong(400, f"A filter has at most {LONGEST_FILTER} characters.", "invalidFilter")
    asked = SearchRequest[model].model_validate({name: value for name, value in given.items() if value != ""})
    if asked.filter is not None:
        found = [row for row in found if asked.filter.match(row)]
    if asked.sort_by is not None:
        found = asked.sort(found)
    start = max(asked.start_index or 1, 1)
    count = min(resources.MOST_RESULTS if asked.count is None else max(asked.count, 0), resources.MOST_RESULTS)
    page = found[start - 1 : start - 1 + count]
    said = ListResponse[model](total_results=len(found), start_index=start, items_per_page=len(page), resources=page)
    return answers.answer(said.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=asked))


def _catalogue(request: HttpRequest, known: dict[str, Any], base: str, name: str) -> HttpResponse:
    _refuse_filter(request)
    if name:
        if name not in known:
            raise NotFound("There is nothing here.")
        return answers.answer(_described(known[name], f"{base}/{name}"))
    rows = [_described(row, f"{base}/{key}") for key, row in known.items()]
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": len(rows),
        "startIndex": 1,
        "itemsPerPage": len(rows),
        "Resources": rows,
    }
    return answers.answer(body)


def _described(row: Any, location: str) -> dict[str, Any]:
    body: dict[str, Any] = row.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
    kind = type(row).__name__
    return {**body, "meta": {"resourceType": kind, "location": location}}


def _refuse_filter(request: HttpRequest) -> None:
    # RFC 7644, 4: a filter here SHALL be refused.
    if "filter" in request.GET:
        raise _Wrong(403, "Discovery takes no filter.")
