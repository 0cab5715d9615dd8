"""Who a tenant is and how it writes: name, address, currency, language, time zone."""

from collections.abc import Iterator
from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from apps.core import events, versions
from apps.core.actor import Actor
from apps.core.errors import FieldError, ValidationFailed
from apps.core.money import is_currency
from apps.tenancy.errors import NameTaken
from apps.tenancy.events import TenantSettingsChanged
from apps.tenancy.selectors import view
from apps.tenancy.trail import forget_hosts, own_tenant, record_tenant

LONGEST = {"name": 100, "legal_name": 200, "address": 500, "email": 254}
FIELDS = frozenset({*LONGEST, "currency", "locale", "time_zone"})
# Found out once: it takes opening some six hundred files.
TIME_ZONES = frozenset(available_timezones())


def update_settings(*, actor: Actor, changes: dict[str, str], expected: versions.Expected = None) -> None:
    """Change what `changes` names of the actor's tenant (see `FIELDS`). Issued invoices keep what they say.

    Raises:
        PermissionRefused: the actor lacks ``settings:write``.
        ValidationFailed: a value breaks a rule.
        NameTaken: another organisation has this name.
        VersionConflict: neither the version of all settings nor that of those in `changes` is among `expected`.
        ValueError: `changes` names something else.
    """
    own_tenant(actor)
    if unknown := changes.keys() - FIELDS:
        raise ValueError(f"No settings: {sorted(unknown)}")
    changes = {name: value.strip() for name, value in changes.items()}
    for name in changes.keys() & {"name", "legal_name"}:
        changes[name] = " ".join(changes[name].split())
    if errors := list(_errors(changes)):
        raise ValidationFailed(errors)
    with transaction.atomic():
        tenant = own_tenant(actor, lock=True)
        present = view(tenant)
        if expected is None or present.version_of(changes) not in expected:
            versions.require(expected, present.version)
        before = {name: getattr(tenant, name) for name in changes}
        changed = {name: value for name, value in changes.items() if before[name] != value}
        if not changed:
            return
        for name, value in changed.items():
            setattr(tenant, name, value)
        try:
            with transaction.atomic():
                tenant.save(update_fields=[*changed, "updated_at"])
        except IntegrityError as error:
            raise NameTaken(_("This organisation name is already taken.")) from error
        record_tenant(actor, tenant, "update", before={name: before[name] for name in changed}, after=changed)
        events.publish(TenantSettingsChanged(tenant_id=tenant.id, changed=tuple(sorted(changed))))
        forget_hosts(tenant)


def _errors(changes: dict[str, str]) -> Iterator[FieldError]:
    for name, most in LONGEST.items():
        text = changes.get(name, "")
        if len(text) > most:
            yield FieldError(name, "max_length", _("At most %(most)s characters.") % {"most": most})
        elif "\x00" in text or (name != "address" and not text.isprintable()):
            yield FieldError(name, "invalid", _("This holds characters that cannot be shown."))
    if changes.get("name") == "":
        yield FieldError("name", "required", _("Give the organisation a name."))
    if changes.get("email"):
        try:
            validate_email(changes["email"])
        except ValidationError:
            yield FieldError("email", "invalid", _("Enter an e-mail address."))
    if "currency" in changes and not is_currency(changes["currency"]):
        yield FieldError("currency", "unknown_currency", _("This is not a currency we know."))
    if "locale" in changes and changes["locale"] not in dict(settings.LANGUAGES):
        yield FieldError("locale", "invalid_choice", _("This language is not offered."))
    if "time_zone" in changes and changes["time_zone"] not in TIME_ZONES:
        yield FieldError("time_zone", "invalid_choice", _("This time zone is not known."))
