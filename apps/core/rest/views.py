"""The base of every REST view: who may call which method is written on the class, and nothing is open by default."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, TypeVar, cast

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from apps.core.actor import Actor
from apps.core.errors import NotAuthenticated, PermissionRefused
from apps.core.rest.listing import Listing
from apps.core.rest.paging import Page, PageRequest, whole
from apps.core.rest.thin import ThinRead

S = TypeVar("S", bound="Serializer[Any]")
T = TypeVar("T")
ANY_MEMBER = ""


class NotForApiKeys(PermissionRefused):
    """The resource is a person's own; an API key acts for a person only where a permission says what it may do."""

    code, title = "not_for_api_keys", "An API key cannot do this"


class ApiView(APIView):
    """One resource. `permissions` maps each method to the permission it needs; `ANY_MEMBER` asks for sign-in only.

    The view runs inside the tenant's transaction unless it declares other terms (`apps.core.serving`). API keys may
    call what needs a permission, and of what asks for sign-in only the methods in `open_to_keys`.
    """

    permissions: ClassVar[Mapping[str, str]] = {}
    open_to_keys: ClassVar[frozenset[str]] = frozenset()
    own_transactions: ClassVar[bool] = False
    # What its list offers; of `is_one`, what one row's own resource brings along.
    listing: ClassVar[Listing | None] = None
    is_one: ClassVar[bool] = False
    # How its list is read and shown without any model, where that is asked often (`apps.iam.thin_reads`).
    thin: ClassVar[ThinRead | None] = None
    writes_when_suspended: ClassVar[bool | frozenset[str]] = False
    serves_unready: ClassVar[bool | frozenset[str]] = False

    @property
    def actor(self) -> Actor:
        """The authenticated caller."""
        return cast(Actor, self.request.user)

    def check_permissions(self, request: Request) -> None:
        """Refuse whoever lacks what the method needs; a method without an entry is refused for everybody."""
        method = request.method or ""
        if method == "OPTIONS":
            return
        if not isinstance(request.user, Actor):
            raise NotAuthenticated("Send an access token as “Authorization: Bearer …”.")
        if method not in self.permissions and method != "HEAD" and method in self.allowed_methods:
            raise LookupError(f"{type(self).__name__} names no permission for {method}.")
        self.require_permitted(request.user, method)

    @classmethod
    def require_permitted(cls, actor: Actor, method: str) -> None:
        """Check that the actor may call `method` here.

        Raises:
            PermissionRefused: he lacks the permission, or is an API key and this is a person's own.
        """
        asked = "GET" if method == "HEAD" else method
        required = cls.permissions.get(asked, ANY_MEMBER)
        if required:
            actor.require(required)
        elif actor.api_key_id is not None and asked not in cls.open_to_keys:
            raise NotForApiKeys("An API key cannot do this: sign in as a person.")

    def read_body(self, serializer: type[S], **options: Any) -> dict[str, Any]:
        """Validate the body with `serializer`.

        Raises:
            rest_framework.exceptions.ValidationError: a field is missing or wrong.
        """
        parsed = serializer(data=self.request.data, **options)
        parsed.is_valid(raise_exception=True)
        return cast(dict[str, Any], parsed.validated_data)

    def page_request(self) -> PageRequest:
        """``limit``, ``cursor`` and ``ordering`` of the query string, which is checked against the `listing`.

        Raises:
            ValidationFailed: malformed, or it names something that the list does not have.
        """
        query = self.request.query_params
        return PageRequest.from_query(query) if self.listing is None else self.listing.page_request(query)

    def listed(self, page: Page[T], present: Callable[[T], dict[str, Any]]) -> Response:
        """The page, with the relations and in the fields that the query string asks for."""
        body, query = page.body(present), self.request.query_params
        if self.listing is not None and ("fields" in query or "expand" in query):
            body["data"] = self.listing.shown(self.actor, body["data"], query)
        return Response(body)

    def listed_whole(self, rows: Iterable[dict[str, Any]]) -> Response:
        """A collection that fits one page, in the fields that the query string asks for.

        Raises:
            ValidationFailed: the query string names something that the list does not have.
        """
        body = whole(rows)
        if self.listing is not None:
            query = self.request.query_params
            self.listing.check(query, self.listing.names)
            body["data"] = self.listing.shown(self.actor, body["data"], query)
        return Response(body)

    def expanded(self, row: dict[str, Any]) -> dict[str, Any]:
        """One row of the `listing` with the relations that the query string asks for.

        Raises:
            ValidationFailed: the query string names something that the resource does not have.
        """
        query = self.request.query_params
        if not query or self.listing is None:
            return row
        self.listing.check(query, [parameter.name for parameter in self.listing.detail_parameters])
        return self.listing.shown(self.actor, [row], query)[0]


class PublicApiView(ApiView):
    """A resource that is open to callers without credentials."""

    authentication_classes = ()

    def check_permissions(self, request: Request) -> None:
        """Everybody may call this."""
