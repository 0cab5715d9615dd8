"""From a customer's locale (any that CLDR knows) to the nearest language that there is a catalogue for."""

from django.conf import settings
from django.utils import translation


def language_of(locale: str) -> str:
    """``de-CH`` → ``de``; the default language when there is nothing near."""
    try:
        return translation.get_supported_language_variant(locale.lower())
    except LookupError:
        return str(settings.LANGUAGE_CODE)
