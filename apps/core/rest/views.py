"""The base of every REST view: who may call which method is written on the class, and nothing is open by default."""

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar, cast

from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from apps.core.actor import Actor
from apps.core.errors import NotAuthenticated, PermissionRefused
from apps.core.rest.paging import PageRequest

S = TypeVar("S", bound="Serializer[Any]")
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
        asked = "GET" if method == "HEAD" else method
        required = self.permissions.get(asked, ANY_MEMBER)
        if required:
            request.user.require(required)
        elif request.user.api_key_id is not None and asked not in self.open_to_keys:
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
        """``limit`` and ``cursor`` of the query string."""
        return PageRequest.from_query(self.request.query_params)


class PublicApiView(ApiView):
    """A resource that is open to callers without credentials."""

    authentication_classes: ClassVar[list[Any]] = []  # type: ignore[misc]

    def check_permissions(self, request: Request) -> None:
        """Everybody may call this."""
