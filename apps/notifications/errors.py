"""Refusals of the notifications app."""

from apps.core.errors import DomainError


class EmailRefused(DomainError):
    """The mail server answered and does not take this message; `permanent` when asking again is pointless."""

    code, status, title = "email_refused", 502, "The mail server refused this message"

    def __init__(self, detail: str, *, permanent: bool) -> None:
        super().__init__(detail)
        self.permanent = permanent
