"""The links that mails hold, made when the mail is."""

from uuid import UUID

from apps.iam import account_tokens, invitations
from apps.iam.errors import InvalidLink


def mailed_link(*, kind: str, row_id: UUID) -> str:
    """The address for a row: `kind` ``account_token`` sets a password or confirms an address,
    ``invitation`` accepts one.

    Raises:
        InvalidLink: there is no such row, or it was made under another secret key.
    """
    if kind == "account_token":
        return account_tokens.link_of(row_id)
    if kind == "invitation":
        return invitations.link_of(row_id)
    raise InvalidLink
