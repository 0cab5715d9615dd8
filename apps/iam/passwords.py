"""What a new password must look like (PRODUCT, passwords)."""

from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext


class CharacterPolicy:
    """Length and kinds of characters, each adjustable by ``AUTH_PASSWORD_VALIDATORS[…]["OPTIONS"]``."""

    def __init__(
        self,
        min_length: int = 8,
        max_length: int = 128,
        *,
        lower: bool = True,
        upper: bool = True,
        digit: bool = True,
    ) -> None:
        self.min_length, self.max_length = min_length, max_length
        self.lower, self.upper, self.digit = lower, upper, digit

    def validate(self, password: str, user: object = None) -> None:
        """Check `password`.

        Raises:
            ValidationError: with one error for each rule that is broken.
        """
        errors = []
        if len(password) < self.min_length:
            errors.append(ValidationError(self._at_least(), code="password_too_short"))
        if len(password) > self.max_length:
            text = _("Use at most %(count)d characters.") % {"count": self.max_length}
            errors.append(ValidationError(text, code="password_too_long"))
        kinds: list[tuple[bool, Callable[[str], bool], str, str]] = [
            (self.lower, str.islower, _("Add a lower-case letter."), "password_no_lower"),
            (self.upper, str.isupper, _("Add an upper-case letter."), "password_no_upper"),
            (self.digit, str.isdigit, _("Add a digit."), "password_no_digit"),
        ]
        errors += [
            ValidationError(text, code=code)
            for wanted, is_kind, text, code in kinds
            if wanted and not any(is_kind(character) for character in password)
        ]
        if errors:
            raise ValidationError(errors)

    def get_help_text(self) -> str:
        """The policy in one sentence."""
        return _("At least %(count)d characters with a lower-case letter, an upper-case letter and a digit.") % {
            "count": self.min_length
        }

    def _at_least(self) -> str:
        return ngettext("Use at least %(count)d character.", "Use at least %(count)d characters.", self.min_length) % {
            "count": self.min_length
        }
