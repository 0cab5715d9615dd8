"""Single sign-on over REST: the tenant's provider and its mail domains."""

from dataclasses import asdict
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.rest.listing import Listing
from apps.core.rest.preconditions import VersionedView
from apps.core.rest.views import ApiView
from apps.iam import stepping_up
from apps.iam.api import sso_serializers as serializers
from apps.iam.sso import connections, mail_domains
from apps.iam.sso.connections import ConnectionView as Connection
from apps.tenancy.proving import ProofView

_TAG = ["Single sign-on"]
_UNKNOWN = OpenApiResponse(description="Problem document: there is no such thing here.")
_CONFLICT = OpenApiResponse(description="Problem document: this contradicts what is stored.")
_SILENT = OpenApiResponse(description="Problem document: the provider does not answer as it should; see `reason`.")
_SSO = connections.PERMISSION


class SsoConnectionView(VersionedView):
    """The tenant's only identity provider."""

    permissions: ClassVar = {"GET": _SSO, "PUT": _SSO, "DELETE": _SSO}

    @extend_schema(tags=_TAG, responses=serializers.ConnectionEnvelope)
    def get(self, request: Request) -> Response:
        """The provider, null without one, and the address that it must send people back to."""
        return self._answer(connections.get_connection(actor=self.actor))

    @extend_schema(
        tags=_TAG,
        request=serializers.ConnectionBody,
        responses={200: serializers.ConnectionEnvelope, 409: _CONFLICT},
        examples=[
            OpenApiExample(
                "A provider",
                request_only=True,
                value={
                    "name": "Northwind ID",
                    "issuer": "https://login.northwind.example",
                    "client_id": "insula",
                    "client_secret": "kept-encrypted",
                    "is_enabled": True,
                    "group_claim": "groups",
                    "group_roles": {"accounting": "ACCOUNTANT"},
                },
            )
        ],
    )
    def put(self, request: Request) -> Response:
        """Set it up or change it; what the body leaves out stays, also the secret, which is never answered.

        Another issuer needs its own secret.
        """
        values = self.read_body(serializers.ConnectionBody)
        stepping_up.require_recent(request)
        expected = self.expected_versions()
        return self._answer(connections.save_connection(actor=self.actor, values=values, expected=expected))

    @extend_schema(tags=_TAG, responses={204: None, 404: _UNKNOWN})
    def delete(self, request: Request) -> Response:
        """Take it away; whoever came in by it is signed out."""
        stepping_up.require_recent(request)
        connections.remove_connection(actor=self.actor, expected=self.expected_versions())
        return Response(status=204)

    def _answer(self, found: Connection | None) -> Response:
        uri = connections.redirect_uri(actor=self.actor)
        body = {"connection": asdict(found) if found else None, "redirect_uri": uri}
        return self.versioned(body, found.version if found else connections.NO_VERSION)


class SsoTestView(ApiView):
    """Whether the provider answers."""

    permissions: ClassVar = {"POST": _SSO}
    own_transactions = True

    @extend_schema(
        tags=_TAG,
        request=None,
        responses={200: serializers.ConnectionAnswer, 404: _UNKNOWN, 502: _SILENT},
    )
    def post(self, request: Request) -> Response:
        """Ask for its description and its keys now."""
        return Response(asdict(connections.test_connection(actor=self.actor)))


class MailDomainsView(ApiView):
    """The domains of the tenant's addresses."""

    permissions: ClassVar = {"GET": _SSO, "POST": _SSO}
    listing = Listing(serializers.MailDomainAnswer, "All mail domains, by name.", keys={})

    @extend_schema(operation_id="sso_domains_list", tags=_TAG, responses=listing.page)
    def get(self, request: Request) -> Response:
        """All of them, by name."""
        return self.listed_whole(present(row) for row in mail_domains.list_domains(actor=self.actor))

    @extend_schema(
        tags=_TAG,
        request=serializers.MailDomainBody,
        responses={201: serializers.MailDomainAnswer, 409: _CONFLICT},
        examples=[OpenApiExample("A domain", request_only=True, value={"domain": "northwind.example"})],
    )
    def post(self, request: Request) -> Response:
        """Name a domain; it counts once its TXT record is found."""
        body = self.read_body(serializers.MailDomainBody)
        made = mail_domains.add_domain(actor=self.actor, domain=body["domain"])
        return Response(present(made), status=201, headers={"Location": f"/api/v1/sso/domains/{made.id}"})


class MailDomainView(ApiView):
    """One mail domain."""

    permissions: ClassVar = {"GET": _SSO, "DELETE": _SSO}

    @extend_schema(tags=_TAG, responses={200: serializers.MailDomainAnswer, 404: _UNKNOWN})
    def get(self, request: Request, mail_domain_id: UUID) -> Response:
        """Its state and its record."""
        return Response(present(mail_domains.get_domain(actor=self.actor, domain_id=mail_domain_id)))

    @extend_schema(tags=_TAG, responses={204: None, 404: _UNKNOWN})
    def delete(self, request: Request, mail_domain_id: UUID) -> Response:
        """Give it up."""
        stepping_up.require_recent(request)
        mail_domains.remove_domain(actor=self.actor, domain_id=mail_domain_id)
        return Response(status=204)


class MailDomainCheckView(ApiView):
    """Whether DNS names the token."""

    permissions: ClassVar = {"POST": _SSO}
    own_transactions = True

    @extend_schema(tags=_TAG, request=None, responses={200: serializers.MailDomainAnswer, 404: _UNKNOWN})
    def post(self, request: Request, mail_domain_id: UUID) -> Response:
        """Ask now; asked again within five seconds, the last answer stands."""
        return Response(present(mail_domains.check_domain(actor=self.actor, domain_id=mail_domain_id)))


def present(row: ProofView) -> dict[str, Any]:
    """A mail domain as the API shows it."""
    return {
        "id": row.id,
        "domain": row.domain,
        "state": row.state.lower(),
        "last_error": row.last_error or None,
        "checked_at": row.checked_at,
        "verified_at": row.verified_at,
        "created_at": row.created_at,
        "record": {"type": "TXT", "name": row.record_name, "value": row.record_value},
    }
