"""Brands, domains and tax numbers of the tenant that one is signed in to."""

from typing import Any, ClassVar, cast
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.errors import ValidationFailed
from apps.core.pages import PageRequest
from apps.core.rest.listing import Listing
from apps.core.rest.preconditions import VersionedView
from apps.core.rest.views import ApiView
from apps.tenancy import brands, domains, tax_ids
from apps.tenancy.api import presenters, shapes
from apps.tenancy.brands import BrandView

_PROBLEM = OpenApiResponse(description="Problem document.")
_REFUSED = {400: _PROBLEM, 404: _PROBLEM, 409: _PROBLEM}


class _TenantView(VersionedView):
    @property
    def tenant(self) -> Any:
        """The tenant that the middleware found."""
        return cast(PageRequest, self.request).tenant

    def _brand(self, found: BrandView) -> Response:
        return self.versioned(presenters.brand(found, self.tenant), found.version)


class BrandList(_TenantView):
    """The tenant's brands."""

    permissions: ClassVar = {"GET": "invoices:read", "POST": "brands:write"}
    listing = Listing(shapes.BrandAnswer, "All brands, the default one first.", keys={})

    @extend_schema(operation_id="brands_list", tags=["brands"], responses=listing.page)
    def get(self, request: Request) -> Response:
        """All of them, the default one first."""
        found = brands.list_brands(actor=self.actor)
        return self.listed_whole(presenters.brand(row, self.tenant) for row in found)

    @extend_schema(
        operation_id="brands_create",
        tags=["brands"],
        request=shapes.BrandBody,
        responses={201: shapes.BrandAnswer, **_REFUSED},
    )
    def post(self, request: Request) -> Response:
        """Add a brand; the first one is the default."""
        values: Any = self.read_body(shapes.BrandBody)
        made = brands.create_brand(actor=self.actor, values=values)
        location = {"Location": f"/api/v1/brands/{made.id}"}
        return Response(presenters.brand(made, self.tenant), status=201, headers=location)


class BrandResource(_TenantView):
    """One brand."""

    permissions: ClassVar = {"GET": "invoices:read", "PATCH": "brands:write", "DELETE": "brands:write"}

    @extend_schema(operation_id="brands_retrieve", tags=["brands"], responses={200: shapes.BrandAnswer, **_REFUSED})
    def get(self, request: Request, brand_id: UUID) -> Response:
        """The brand."""
        return self._brand(brands.get_brand(actor=self.actor, brand_id=brand_id))

    @extend_schema(
        operation_id="brands_update",
        tags=["brands"],
        request=shapes.BrandChangesBody,
        responses={200: shapes.BrandAnswer, **_REFUSED},
    )
    def patch(self, request: Request, brand_id: UUID) -> Response:
        """Change what the body names; issued invoices keep what they show."""
        changes: Any = self.read_body(shapes.BrandChangesBody)
        wants_default = changes.pop("is_default", None)
        if wants_default is False:
            raise ValidationFailed.one("is_default", "invalid", "Make another brand the default one instead.")
        found = brands.update_brand(
            actor=self.actor, brand_id=brand_id, changes=changes, expected=self.expected_versions()
        )
        if wants_default:
            found = brands.make_default(actor=self.actor, brand_id=brand_id)
        return self._brand(found)

    @extend_schema(operation_id="brands_delete", tags=["brands"], responses={204: None, **_REFUSED})
    def delete(self, request: Request, brand_id: UUID) -> Response:
        """Remove the brand; drafts that name it use the default one."""
        brands.delete_brand(actor=self.actor, brand_id=brand_id, expected=self.expected_versions())
        return Response(status=204)


class BrandLogo(_TenantView):
    """The logo of a brand."""

    permissions: ClassVar = {"PUT": "brands:write", "DELETE": "brands:write"}

    @extend_schema(
        operation_id="brands_set_logo",
        tags=["brands"],
        request=shapes.LogoBody,
        responses={200: shapes.BrandAnswer, **_REFUSED},
    )
    def put(self, request: Request, brand_id: UUID) -> Response:
        """Replace it: PNG, JPEG or WebP, at most 2 MB, drawn anew as a PNG of at most 640 × 240."""
        content = self.read_body(shapes.LogoBody)["content"]
        expected = self.expected_versions()
        found = brands.set_logo(actor=self.actor, brand_id=brand_id, content=content, expected=expected)
        return self._brand(found)

    @extend_schema(operation_id="brands_remove_logo", tags=["brands"], responses={204: None, **_REFUSED})
    def delete(self, request: Request, brand_id: UUID) -> Response:
        """Take it away."""
        brands.set_logo(actor=self.actor, brand_id=brand_id, content=None, expected=self.expected_versions())
        return Response(status=204)


class DomainList(ApiView):
    """The tenant's own domains."""

    permissions: ClassVar = {"GET": "settings:write", "POST": "settings:write"}
    listing = Listing(shapes.DomainAnswer, "All domains, oldest first.", keys={})

    @extend_schema(operation_id="domains_list", tags=["domains"], responses=listing.page)
    def get(self, request: Request) -> Response:
        """All of them."""
        found = domains.addresses(actor=self.actor).claims
        return self.listed_whole(presenters.domain(row) for row in found)

    @extend_schema(
        operation_id="domains_create",
        tags=["domains"],
        request=shapes.DomainBody,
        responses={201: shapes.DomainAnswer, **_REFUSED},
    )
    def post(self, request: Request) -> Response:
        """Claim a domain; the answer names the record that proves it."""
        made = domains.add_domain(actor=self.actor, domain=self.read_body(shapes.DomainBody)["domain"])
        location = {"Location": f"/api/v1/domains/{made.id}"}
        return Response(presenters.domain(made), status=201, headers=location)


class DomainResource(VersionedView):
    """One domain."""

    permissions: ClassVar = {"GET": "settings:write", "PATCH": "settings:write", "DELETE": "settings:write"}

    @extend_schema(operation_id="domains_retrieve", tags=["domains"], responses={200: shapes.DomainAnswer, **_REFUSED})
    def get(self, request: Request, claim_id: UUID) -> Response:
        """The domain and how far it is."""
        found = domains.get_claim(actor=self.actor, claim_id=claim_id)
        return self.versioned(presenters.domain(found), found.version)

    @extend_schema(
        operation_id="domains_update",
        tags=["domains"],
        request=shapes.DomainChangesBody,
        responses={200: shapes.DomainAnswer, **_REFUSED},
    )
    def patch(self, request: Request, claim_id: UUID) -> Response:
        """Use it in links, or the sub-domain instead."""
        wanted = self.read_body(shapes.DomainChangesBody)["is_primary"]
        expected = self.expected_versions()
        found = domains.use_in_links(actor=self.actor, claim_id=claim_id, wanted=wanted, expected=expected)
        return self.versioned(presenters.domain(found), found.version)

    @extend_schema(operation_id="domains_delete", tags=["domains"], responses={204: None, **_REFUSED})
    def delete(self, request: Request, claim_id: UUID) -> Response:
        """Give the domain up."""
        domains.remove_domain(actor=self.actor, claim_id=claim_id, expected=self.expected_versions())
        return Response(status=204)


class DomainCheck(ApiView):
    """Looking a domain up now."""

    permissions: ClassVar = {"POST": "settings:write"}
    own_transactions = True

    @extend_schema(
        operation_id="domains_check",
        tags=["domains"],
        request=None,
        responses={200: shapes.DomainAnswer, **_REFUSED},
    )
    def post(self, request: Request, claim_id: UUID) -> Response:
        """Ask DNS; asked again within five seconds, the last answer stands."""
        return Response(presenters.domain(domains.check_domain(actor=self.actor, claim_id=claim_id)))


class TaxIdList(ApiView):
    """The tenant's tax numbers."""

    permissions: ClassVar = {"GET": "settings:write", "POST": "settings:write"}
    listing = Listing(shapes.TaxIdAnswer, "All tax numbers as they are printed.", keys={})

    @extend_schema(operation_id="tax_ids_list", tags=["tax numbers"], responses=listing.page)
    def get(self, request: Request) -> Response:
        """All of them, as they are printed."""
        found = tax_ids.list_tax_ids(actor=self.actor)
        return self.listed_whole(presenters.tax_id(row) for row in found)

    @extend_schema(
        operation_id="tax_ids_create",
        tags=["tax numbers"],
        request=shapes.TaxIdBody,
        responses={201: shapes.TaxIdAnswer, **_REFUSED},
    )
    def post(self, request: Request) -> Response:
        """Add one; its check digits are tested."""
        made = tax_ids.add_tax_id(actor=self.actor, **self.read_body(shapes.TaxIdBody))
        return Response(presenters.tax_id(made), status=201)


class TaxIdResource(ApiView):
    """One tax number."""

    permissions: ClassVar = {"DELETE": "settings:write"}

    @extend_schema(operation_id="tax_ids_delete", tags=["tax numbers"], responses={204: None, **_REFUSED})
    def delete(self, request: Request, tax_id: UUID) -> Response:
        """Take it off coming invoices."""
        tax_ids.remove_tax_id(actor=self.actor, tax_id=tax_id)
        return Response(status=204)
