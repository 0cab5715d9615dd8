"""Refusals of the IAM app."""

from apps.core.errors import Conflict, DomainError, NotAuthenticated, PermissionRefused


class InvalidCredentials(NotAuthenticated):
    """Unknown address or wrong password: nobody can tell which."""

    code, title = "invalid_credentials", "E-mail or password is wrong"


class InvalidToken(NotAuthenticated):
    """The token is malformed, expired, revoked, or not for this."""

    code, title = "invalid_token", "The token is not valid"


class InvalidSignature(InvalidToken):
    """The API key demands signed requests, and this one has no signature that holds."""

    code, title = "invalid_signature", "The request's signature does not hold"


class NotUploaded(Conflict):
    """What is to be confirmed was not uploaded yet."""

    code, title = "not_uploaded", "Nothing was uploaded yet"


class ApiKeyLimit(Conflict):
    """The workspace has as many API keys as this installation allows."""

    code, title = "api_key_limit", "The workspace has too many API keys"


class AccountInactive(PermissionRefused):
    """An operator switched the account off."""

    code, title = "account_inactive", "This account is not active"


class AccountBanned(PermissionRefused):
    """An operator keeps the person out of the platform, for a while or for good."""

    code, title = "account_banned", "This account is banned"


class AccountLocked(PermissionRefused):
    """Too many failures with this e-mail, whether it has an account or not; the password was not looked at."""

    code, title = "account_locked", "Too many failed attempts"


class NotAMember(PermissionRefused):
    """The workspace is unknown or the account has no active membership in it: nobody can tell which."""

    code, title = "not_a_member", "This account is not a member of that workspace"


class NoWorkspace(PermissionRefused):
    """The account has no active membership in any active workspace."""

    code, title = "no_workspace", "This account belongs to no active workspace"


class RefreshInProgress(Conflict):
    """The refresh token was spent a moment ago by a parallel call, which holds the new pair."""

    code, title = "refresh_in_progress", "This refresh token was used a moment ago"


class InvalidLink(DomainError):
    """A mailed token is unknown, expired, used, or replaced by a newer one: nobody can tell which."""

    code, title = "invalid_link", "This link is not valid any more"


class AlreadyMember(Conflict):
    """The person belongs to the workspace already."""

    code, title = "already_member", "This person is a member already"


class AlreadyInvited(Conflict):
    """An invitation to this address is waiting to be accepted."""

    code, title = "already_invited", "This address is invited already"


class LastOwner(Conflict):
    """A workspace always has an owner who may enter."""

    code, title = "last_owner", "A workspace needs an owner"


class PasswordChangeRequired(PermissionRefused):
    """An operator gave the present password; it opens nothing but the way to another."""

    code, title = "password_change_required", "Choose a password of your own first"


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
