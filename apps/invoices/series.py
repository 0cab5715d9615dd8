"""How a tenant writes its numbers: pattern and first number of each series, changed without gap or duplicate.

A pattern names the year, then something that is no digit, then the running number; its other signs are no digits.
So a number's text tells its year and its running number whatever pattern made it, and as no running number of a
series and year is given twice, no text is either, however often the pattern changes. The two series may never have
the same signs around the figures, so they cannot meet.
"""

import re
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core import versions
from apps.core.actor import Actor
from apps.core.clock import today_in
from apps.core.errors import Conflict, FieldError, NotFound, ValidationFailed
from apps.core.tenants import current_tenant_id
from apps.invoices import numbering
from apps.invoices.models import NumberSeries
from apps.tenancy import selectors as tenancy

KINDS = {"INVOICE": numbering.DEFAULT_SERIES, "CREDIT_NOTE": numbering.CREDIT_SERIES}
LONGEST_PATTERN = 40
LARGEST_START = 10**12
_WIDTH = r"(?::0([1-9]|1[0-2]))?"
_PATTERN = re.compile(rf"(?P<before>[^{{}}\d]*)\{{year\}}(?P<between>[^{{}}\d]+)\{{seq{_WIDTH}\}}(?P<after>[^{{}}\d]*)")
_ROW = """
insert into invoices_number_series (id, name, year, pattern, first_seq, last_seq)
values (
  gen_random_uuid(), %(name)s, %(year)s,
  coalesce(
    (select pattern from invoices_number_series where name = %(name)s order by year desc limit 1), %(pattern)s
  ),
  1, 0
)
on conflict (name, year) do nothing
"""


class SeriesBegun(Conflict):
    """Numbers of this year were given already, so the first one stands."""

    code, title = "series_begun", "This year's numbers have begun"


@dataclass(frozen=True, slots=True)
class SeriesView:
    """One series in the running year: `next_number` is what the next document will be called.

    `id` names it in the audit trail, once anything was changed or numbered.
    """

    kind: str
    year: int
    pattern: str
    first_seq: int
    next_seq: int
    next_number: str
    has_begun: bool
    id: UUID | None = None

    @property
    def version(self) -> str:
        """The version of what people edit."""
        return versions.version_of({"year": self.year, "pattern": self.pattern, "first_seq": self.first_seq})


def list_series(*, actor: Actor, today: date | None = None) -> list[SeriesView]:
    """Both series in the tenant's present year.

    Raises:
        PermissionRefused: the actor lacks ``settings:write``.
    """
    actor.require("settings:write")
    year = (today or _today()).year
    return [_view(kind, year) for kind in KINDS]


def get_series(*, actor: Actor, kind: str, today: date | None = None) -> SeriesView:
    """One series in the tenant's present year.

    Raises:
        PermissionRefused: the actor lacks ``settings:write``.
        NotFound: there is no such kind.
    """
    actor.require("settings:write")
    if kind not in KINDS:
        raise NotFound
    return _view(kind, (today or _today()).year)


def update_series(
    *,
    actor: Actor,
    kind: str,
    pattern: str | None = None,
    first_seq: int | None = None,
    expected: versions.Expected = None,
    today: date | None = None,
) -> SeriesView:
    """Change how the next numbers of `kind` are written and, while this year has none, where they start.

    Whoever issues a document at the same moment goes before or after as a whole: the counter's row is locked.

    Raises:
        PermissionRefused: the actor lacks ``settings:write``.
        ValidationFailed: unknown kind, a pattern that could name two documents alike, a start out of range.
        SeriesBegun: a number of this year was given.
        VersionConflict: its version is not among `expected`.
    """
    actor.require("settings:write")
    if kind not in KINDS:
        raise ValidationFailed.one("kind", "invalid_choice", _("One of %(names)s.") % {"names": ", ".join(KINDS)})
    name, year = KINDS[kind], (today or _today()).year
    pattern = None if pattern is None else " ".join(pattern.split())
    _check(pattern, first_seq)
    with transaction.atomic():
        rows = _locked(year)
        versions.require(expected, _view(kind, year).version)
        row, other = rows[name], next(found for key, found in rows.items() if key != name)
        before = {"pattern": row.pattern, "first_seq": row.first_seq}
        if pattern is not None:
            _check_apart(pattern, other)
            row.pattern = pattern
        if first_seq is not None and first_seq != row.first_seq:
            if row.last_seq >= row.first_seq:
                raise SeriesBegun(_("A number of this year was given already; the first one can change next year."))
            row.first_seq, row.last_seq = first_seq, first_seq - 1
        after = {"pattern": row.pattern, "first_seq": row.first_seq}
        if after != before:
            _save(row)
            audit.record(
                actor=actor,
                action="invoices.series.update",
                entity_type="number_series",
                entity_id=row.id,
                entity_label=f"{kind} {year}",
                before=before,
                after=after,
                severity=Severity.MEDIUM,
                tenant_id=current_tenant_id(),
            )
    return _view(kind, year)


def preview(pattern: str, *, year: int, seq: int) -> str:
    """What a number would look like; nothing for a pattern that is refused."""
    return numbering.render(pattern, year=year, seq=seq) if _PATTERN.fullmatch(pattern) else ""


def _check(pattern: str | None, first_seq: int | None) -> None:
    errors = []
    if pattern is not None:
        if len(pattern) > LONGEST_PATTERN:
            errors.append(
                FieldError("pattern", "max_length", _("At most %(most)s characters.") % {"most": LONGEST_PATTERN})
            )
        elif not pattern.isprintable() or not _PATTERN.fullmatch(pattern):
            text = _(
                "Write {year}, then a sign such as “-”, then {seq} or {seq:04}. Other digits would let two "
                "documents have the same number."
            )
            errors.append(FieldError("pattern", "invalid", text))
    if first_seq is not None and not 1 <= first_seq <= LARGEST_START:
        errors.append(FieldError("first_seq", "out_of_range", _("From 1 to %(most)s.") % {"most": LARGEST_START}))
    if errors:
        raise ValidationFailed(errors)


def _check_apart(pattern: str, other: NumberSeries) -> None:
    used = NumberSeries.objects.filter(name=other.name).values_list("pattern", flat=True)
    if _signs(pattern) in {_signs(known) for known in used}:
        raise ValidationFailed.one(
            "pattern", "taken", _("Invoices and credit notes need different prefixes, or their numbers could meet.")
        )


def _signs(pattern: str) -> tuple[str, ...]:
    found = _PATTERN.fullmatch(pattern)
    return tuple(found[part].casefold() for part in ("before", "between", "after")) if found else (pattern,)


def _locked(year: int) -> dict[str, NumberSeries]:
    # Both rows in one order, so that two administrators cannot wait for each other.
    with connection.cursor() as cursor:
        for name in sorted(KINDS.values()):
            cursor.execute(_ROW, {"name": name, "year": year, "pattern": numbering.DEFAULT_PATTERNS[name]})
    rows = NumberSeries.objects.select_for_update().filter(name__in=KINDS.values(), year=year).order_by("name")
    return {row.name: row for row in rows}


def _save(row: NumberSeries) -> None:
    try:
        with transaction.atomic():
            row.save(update_fields=["pattern", "first_seq", "last_seq"])
            # A document dated into next year may have begun its row with the old pattern.
            NumberSeries.objects.filter(name=row.name, year__gt=row.year).update(pattern=row.pattern)
    except IntegrityError as error:
        raise SeriesBegun(_("A number of this year was given already; the first one can change next year.")) from error


def _view(kind: str, year: int) -> SeriesView:
    name = KINDS[kind]
    known = NumberSeries.objects.filter(name=name)
    row = known.filter(year=year).first()
    latest = row or known.order_by("-year").first()
    pattern = latest.pattern if latest else numbering.DEFAULT_PATTERNS[name]
    first_seq, next_seq = (row.first_seq, row.last_seq + 1) if row else (1, 1)
    return SeriesView(
        kind=kind,
        year=year,
        pattern=pattern,
        first_seq=first_seq,
        next_seq=next_seq,
        next_number=numbering.render(pattern, year=year, seq=next_seq),
        has_begun=next_seq > first_seq,
        id=row.id if row else None,
    )


def _today() -> date:
    return today_in(tenancy.tenant_by_id(current_tenant_id()).time_zone)
