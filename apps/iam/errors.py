"""Refusals of the IAM app."""

from apps.core.errors import Conflict, DomainError, NotAuthenticated, PermissionRefused


class InvalidCredentials(NotAuthenticated):
    """Unknown address or wrong password: nobody can tell which."""

    code, title = "invalid_credentials", "E-mail or password is wrong"


class InvalidToken(NotAuthenticated):
    """The token is malformed, expired, revoked, or not for this."""

    code, title = "invalid_token", "The token is not valid"


class RoleNameTaken(Conflict):
    """The tenant has a role of this name, in whatever letter case."""

    code, title = "role_name_taken", "Another role has this name"


class RoleInUse(Conflict):
    """Members hold the role, or pending invitations offer it."""

    code, title = "role_in_use", "This role is in use"


class InvitationsClosed(PermissionRefused):
    """An installation with one workspace for everybody knows no invitations."""

    code, title = "single_tenant", "Nobody is invited here: everybody who signs up is a member"


class MfaRequired(NotAuthenticated):
    """The password is right, and the account asks for more; `methods` says which proofs it takes."""

    code, title = "mfa_required", "A second factor is needed"


class MfaDemanded(PermissionRefused):
    """The workspace demands a second factor of its members, and this sign-in has shown none."""

    code, title = "mfa_required", "This workspace demands a second factor"


class AlreadySetUp(Conflict):
    """The person has an authenticator app."""

    code, title = "already_set_up", "There is an authenticator app already"


class NoSecondFactor(Conflict):
    """Who demands a second factor of others has none himself."""

    code, title = "no_second_factor", "Set up a second factor for yourself first"


class WrongCode(NotAuthenticated):
    """The second factor is wrong, used up, or of another time: nobody can tell which."""

    code, title = "wrong_code", "This code is not valid"


class PasskeyRefused(NotAuthenticated):
    """The passkey is unknown, its answer does not hold, or comes too late."""

    code, title = "passkey_refused", "This passkey was not accepted"


class StepUpRequired(PermissionRefused):
    """A dangerous action wants a fresh proof of who is asking; `max_age` is in seconds."""

    code, title = "step_up_required", "Please confirm that it is you"
