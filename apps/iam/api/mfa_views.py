"""One's own second factors, proving oneself again, and a workspace's demand for second factors."""

from typing import Any, ClassVar, cast
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import ids
from apps.core.rest.listing import Listing
from apps.core.rest.preconditions import VersionedView
from apps.core.rest.views import ANY_MEMBER, ApiView
from apps.iam import authenticators, factors, mfa_policy, passkeys, renewing, stepping_up
from apps.iam.api import mfa_serializers as shapes
from apps.iam.factors import PasskeyView
from apps.iam.identity import Identity

_TAG, _POLICY_TAG = ["Second factors"], ["Organisation"]
_STEP_UP = OpenApiResponse(
    description="Problem document `step_up_required`: the last proof is older than `max_age` seconds; "
    "send a fresh one to `POST /auth/confirm`."
)
_WRONG = OpenApiResponse(description="Problem document: the code or password is wrong.")
_CONFLICT = OpenApiResponse(description="Problem document: this contradicts what is set up.")
_UNKNOWN = OpenApiResponse(description="Problem document: there is nothing like it.")
# Shown once and kept nowhere.
_SECRET = {"Cache-Control": "no-store"}


class _OwnView(ApiView):
    """What belongs to whoever is signed in, wherever that is and whatever his workspace still demands of him."""

    tenantless = True
    writes_when_suspended = True
    serves_unproven: ClassVar[bool] = True

    @property
    def identity(self) -> Identity:
        """Who is signed in."""
        return cast(Identity, self.request.auth)

    @property
    def bound_to(self) -> str:
        """What a ceremony of this caller is bound to: his sign-in."""
        return ids.token_digest(f"family:{self.identity.family_id}")


class MfaView(_OwnView):
    """What second factors one has."""

    permissions: ClassVar = {"GET": ANY_MEMBER}

    @extend_schema(tags=_TAG, responses=shapes.FactorsAnswer)
    def get(self, request: Request) -> Response:
        """The secrets themselves are shown only when they are made."""
        found = factors.of(_user_id(self))
        body = {
            "totp": found.app_since is not None,
            "totp_since": found.app_since,
            "passkeys": [_passkey(item) for item in found.passkeys],
            "recovery_codes_left": found.recovery_codes_left,
            "methods": list(found.methods),
            "due_at": self.identity.mfa_due_at,
        }
        return Response(body)


class TotpView(_OwnView):
    """The authenticator app."""

    permissions: ClassVar = {"POST": ANY_MEMBER, "DELETE": ANY_MEMBER}

    @extend_schema(tags=_TAG, request=None, responses={201: shapes.TotpAnswer, 403: _STEP_UP, 409: _CONFLICT})
    def post(self, request: Request) -> Response:
        """A new secret. It counts once `POST /me/mfa/totp/confirm` has seen a code of it."""
        stepping_up.require_account_owner(request)
        made = authenticators.begin(actor=self.actor)
        return Response({"secret": made.seed, "otpauth_uri": made.address}, status=201, headers=_SECRET)

    @extend_schema(tags=_TAG, responses={204: None, 403: _STEP_UP, 404: _UNKNOWN})
    def delete(self, request: Request) -> Response:
        """Take the app away; other sign-ins by a code end. Without any other factor the password is enough again."""
        stepping_up.require_account_owner(request)
        authenticators.remove(actor=self.actor, family_id=self.identity.family_id)
        return Response(status=204)


class TotpConfirmView(_OwnView):
    """The first code of an app."""

    permissions: ClassVar = {"POST": ANY_MEMBER}

    @extend_schema(
        tags=_TAG,
        request=shapes.CodeBody,
        responses={200: shapes.RecoveryCodesAnswer, 400: _WRONG, 403: _STEP_UP, 404: _UNKNOWN},
    )
    def post(self, request: Request) -> Response:
        """Takes the app into use; this sign-in counts as one with a second factor from now on."""
        stepping_up.require_account_owner(request)
        code = self.read_body(shapes.CodeBody)["code"]
        codes = authenticators.confirm(actor=self.actor, family_id=self.identity.family_id, code=code)
        return Response({"recovery_codes": codes}, headers=_SECRET)


class RecoveryCodesView(_OwnView):
    """Codes for the day when a device is lost."""

    permissions: ClassVar = {"POST": ANY_MEMBER}

    @extend_schema(tags=_TAG, request=None, responses={201: shapes.RecoveryCodesAnswer, 403: _STEP_UP, 409: _CONFLICT})
    def post(self, request: Request) -> Response:
        """Ten new ones, each good once; the earlier ones are void."""
        stepping_up.require_account_owner(request)
        codes = renewing.renew_recovery_codes(actor=self.actor, family_id=self.identity.family_id)
        return Response({"recovery_codes": codes}, status=201, headers=_SECRET)


class PasskeysView(_OwnView):
    """One's own passkeys."""

    permissions: ClassVar = {"GET": ANY_MEMBER, "POST": ANY_MEMBER}
    # A challenge stays used up although the answer is an error.
    own_transactions = True
    listing = Listing(shapes.PasskeyAnswer, "One's passkeys, the oldest first.", keys={})

    @extend_schema(operation_id="me_mfa_passkeys_list", tags=_TAG, responses=listing.page)
    def get(self, request: Request) -> Response:
        """The oldest first."""
        return self.listed_whole(_passkey(item) for item in factors.of(_user_id(self)).passkeys)

    @extend_schema(
        tags=_TAG,
        request=shapes.PasskeyBody,
        responses={201: shapes.PasskeyMadeAnswer, 401: _WRONG, 403: _STEP_UP, 409: _CONFLICT},
    )
    def post(self, request: Request) -> Response:
        """Keep what `navigator.credentials.create` made of the options of `POST /me/mfa/passkeys/begin`."""
        stepping_up.require_account_owner(request)
        body = self.read_body(shapes.PasskeyBody)
        made, codes = passkeys.finish_registration(
            actor=self.actor, family_id=self.identity.family_id, bound_to=self.bound_to, **body
        )
        return Response({**_passkey(made), "recovery_codes": codes}, status=201, headers=_SECRET)


class PasskeyBeginView(_OwnView):
    """The challenge for a new passkey."""

    permissions: ClassVar = {"POST": ANY_MEMBER}

    @extend_schema(tags=_TAG, request=None, responses={201: shapes.CeremonyAnswer, 403: _STEP_UP, 409: _CONFLICT})
    def post(self, request: Request) -> Response:
        """For `navigator.credentials.create` on a page of the platform or below it."""
        stepping_up.require_account_owner(request)
        begun = passkeys.begin_registration(actor=self.actor, bound_to=self.bound_to, host=request.get_host())
        return Response(begun, status=201, headers=_SECRET)


class PasskeyOneView(_OwnView):
    """One passkey."""

    permissions: ClassVar = {"PATCH": ANY_MEMBER, "DELETE": ANY_MEMBER}

    @extend_schema(tags=_TAG, request=shapes.PasskeyNameBody, responses={200: shapes.PasskeyAnswer, 404: _UNKNOWN})
    def patch(self, request: Request, passkey_id: UUID) -> Response:
        """Call it something else."""
        stepping_up.require_person(request)
        name = self.read_body(shapes.PasskeyNameBody)["name"]
        return Response(_passkey(passkeys.rename(actor=self.actor, passkey_id=passkey_id, name=name)))

    @extend_schema(tags=_TAG, responses={204: None, 403: _STEP_UP, 404: _UNKNOWN})
    def delete(self, request: Request, passkey_id: UUID) -> Response:
        """Forget it; other sign-ins by it or one of its kind end. Without any factor the password is enough again."""
        stepping_up.require_account_owner(request)
        passkeys.remove(actor=self.actor, family_id=self.identity.family_id, passkey_id=passkey_id)
        return Response(status=204)


class ConfirmView(_OwnView):
    """A fresh proof of who is asking, for what wants one."""

    permissions: ClassVar = {"POST": ANY_MEMBER}
    # A wrong guess must stay counted although the answer is an error.
    own_transactions = True

    @extend_schema(tags=_TAG, request=shapes.ConfirmBody, responses={204: None, 400: _WRONG, 401: _WRONG})
    def post(self, request: Request) -> Response:
        """The password, and `otp` of who has a second factor; or a passkey. It counts for ten minutes."""
        body = self.read_body(shapes.ConfirmBody)
        if proof := body.get("passkey"):
            stepping_up.confirm_by_passkey(identity=self.identity, bound_to=self.bound_to, **proof)
        else:
            stepping_up.confirm(identity=self.identity, password=body["password"], code=body["otp"])
        return Response(status=204)


class ConfirmPasskeyView(_OwnView):
    """The challenge for proving oneself by a passkey."""

    permissions: ClassVar = {"POST": ANY_MEMBER}

    @extend_schema(tags=_TAG, request=None, responses={201: shapes.CeremonyAnswer})
    def post(self, request: Request) -> Response:
        """For `navigator.credentials.get`; its answer goes to `POST /auth/confirm` as `passkey`."""
        stepping_up.require_person(request)
        begun = passkeys.begin_proof(user_id=_user_id(self), bound_to=self.bound_to, host=request.get_host())
        return Response(begun, status=201, headers=_SECRET)


class MfaPolicyView(VersionedView):
    """Whether the workspace demands a second factor of its members."""

    permissions: ClassVar = {"GET": "settings:write", "PUT": "settings:write"}

    @extend_schema(tags=_POLICY_TAG, responses=shapes.PolicyAnswer)
    def get(self, request: Request) -> Response:
        """What is demanded now."""
        assert self.actor.tenant_id is not None
        return self._answer(mfa_policy.of(self.actor.tenant_id))

    @extend_schema(
        tags=_POLICY_TAG,
        request=shapes.PolicyBody,
        responses={200: shapes.PolicyAnswer, 403: _STEP_UP, 409: _CONFLICT},
    )
    def put(self, request: Request) -> Response:
        """Whoever demands it has a second factor himself. Members get `grace_days` to set theirs up."""
        stepping_up.require_recent(request)
        body, expected = self.read_body(shapes.PolicyBody), self.expected_versions()
        return self._answer(mfa_policy.change(actor=self.actor, expected=expected, **body))

    def _answer(self, found: mfa_policy.PolicyView) -> Response:
        body: dict[str, Any] = {
            "required": found.required_at is not None,
            "required_at": found.required_at,
            "grace_days": found.grace_days,
        }
        return self.versioned(body, found.version)


def _passkey(found: PasskeyView) -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.name,
        "is_synced": found.is_synced,
        "created_at": found.created_at,
        "last_used_at": found.last_used_at,
    }


def _user_id(view: _OwnView) -> UUID:
    assert view.actor.user_id is not None
    return view.actor.user_id
