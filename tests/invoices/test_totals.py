"""Totals: exact, order-independent, no cent lost, tax rounded once per rate."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import ValidationFailed
from apps.core.money import MAX_MINOR, format_minor, round_half_up
from apps.invoices.totals import PricedLine, Totals, compute, line_gross

RATES = st.sampled_from([Decimal(rate) for rate in ("0", "7", "7.7", "8.1250", "19", "19.0000", "21", "100")])
QUANTITIES = st.decimals(min_value="0.000001", max_value="10000", places=6, allow_nan=False).filter(lambda q: q > 0)


@st.composite
def lines(draw: st.DrawFn) -> PricedLine:
    line = PricedLine(draw(QUANTITIES), draw(st.integers(0, 10_000_000)), draw(RATES))
    discount = draw(st.integers(0, line_gross(line)))
    return PricedLine(line.quantity, line.unit_price_minor, line.tax_rate, discount)


@st.composite
def invoices(draw: st.DrawFn) -> tuple[list[PricedLine], int]:
    drawn = draw(st.lists(lines(), min_size=1, max_size=12))
    subtotal = sum(line_gross(line) - line.discount_minor for line in drawn)
    return drawn, draw(st.integers(0, subtotal))


@given(invoices())
def test_everything_adds_up(invoice: tuple[list[PricedLine], int]) -> None:
    drawn, discount = invoice
    totals = compute(drawn, discount_minor=discount)
    assert totals.subtotal_minor == sum(totals.nets)
    assert sum(group.base_minor for group in totals.tax_groups) == totals.subtotal_minor - discount
    assert sum(group.tax_minor for group in totals.tax_groups) == totals.tax_minor
    assert totals.total_minor == totals.subtotal_minor - discount + totals.tax_minor
    assert all(group.base_minor >= 0 and group.tax_minor >= 0 for group in totals.tax_groups)


@given(invoices(), st.randoms(use_true_random=False))
def test_the_order_of_the_lines_changes_nothing(invoice: tuple[list[PricedLine], int], random: object) -> None:
    drawn, discount = invoice
    shuffled = list(drawn)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert _without_order(compute(drawn, discount_minor=discount)) == _without_order(
        compute(shuffled, discount_minor=discount)
    )


@given(invoices())
def test_tax_is_within_half_a_minor_unit_of_the_exact_tax_of_its_base(invoice: tuple[list[PricedLine], int]) -> None:
    drawn, discount = invoice
    for group in compute(drawn, discount_minor=discount).tax_groups:
        exact = Decimal(group.base_minor) * group.rate / 100
        assert abs(group.tax_minor - exact) <= Decimal("0.5")


@given(invoices())
def test_each_rate_is_taxed_once_however_it_is_written(invoice: tuple[list[PricedLine], int]) -> None:
    drawn, discount = invoice
    rates = [group.rate for group in compute(drawn, discount_minor=discount).tax_groups]
    assert rates == sorted({line.tax_rate for line in drawn})


@given(st.lists(st.integers(1, 10**6), min_size=2, max_size=20), RATES)
def test_splitting_a_line_in_parts_changes_no_total(parts: list[int], rate: Decimal) -> None:
    whole = compute([PricedLine(Decimal(1), sum(parts), rate)])
    split = compute([PricedLine(Decimal(1), part, rate) for part in parts])
    assert (whole.total_minor, whole.tax_minor) == (split.total_minor, split.tax_minor)


@given(invoices(), st.data())
def test_a_credit_takes_off_what_it_says(invoice: tuple[list[PricedLine], int], data: st.DataObject) -> None:
    drawn, _ = invoice
    without = compute(drawn)
    chosen = data.draw(st.integers(0, len(drawn) - 1))
    credit = data.draw(st.integers(0, without.nets[chosen]))
    totals = compute([*drawn, PricedLine(Decimal(1), -credit, drawn[chosen].tax_rate)])
    assert totals.subtotal_minor == without.subtotal_minor - credit
    assert totals.tax_minor <= without.tax_minor


def test_halves_go_up() -> None:
    totals = compute([PricedLine(Decimal("0.5"), 1, Decimal(0)), PricedLine(Decimal(1), 50, Decimal(1))])
    assert totals.nets == (1, 50)
    assert totals.tax_minor == 1


def test_tax_is_rounded_once_per_rate_and_not_per_line() -> None:
    thirds = [PricedLine(Decimal(1), 3, Decimal(19)) for _ in range(10)]
    assert compute(thirds).tax_minor == round_half_up(Decimal(30) * 19 / 100) == 6


def test_the_documents_discount_is_split_before_tax() -> None:
    totals = compute(
        [PricedLine(Decimal(1), 10_000, Decimal(19)), PricedLine(Decimal(1), 5_000, Decimal(7))], discount_minor=100
    )
    bases = {group.rate: group.base_minor for group in totals.tax_groups}
    assert bases == {Decimal(7): 4_967, Decimal(19): 9_933}
    assert totals.total_minor == 14_900 + 348 + 1_887


@pytest.mark.parametrize(("currency", "shown"), [("JPY", "¥1,309"), ("EUR", "€13.09"), ("KWD", "KWD1.309")])
def test_minor_units_are_the_currencys_own(currency: str, shown: str) -> None:
    totals = compute([PricedLine(Decimal("1.1"), 1000, Decimal(19))])
    assert format_minor(totals.total_minor, currency).replace("\xa0", "") == shown


@pytest.mark.parametrize(
    ("drawn", "discount", "field", "code"),
    [
        ([PricedLine(Decimal(1), 100, Decimal(0), 101)], 0, "lines.0.discount_minor", "out_of_range"),
        ([PricedLine(Decimal(1), 100, Decimal(0), -1)], 0, "lines.0.discount_minor", "out_of_range"),
        ([PricedLine(Decimal(1), -100, Decimal(0), 1)], 0, "lines.0.discount_minor", "out_of_range"),
        ([PricedLine(Decimal(1), 100, Decimal(0))], 101, "discount_minor", "out_of_range"),
        ([PricedLine(Decimal(1), 100, Decimal(0))], -1, "discount_minor", "out_of_range"),
        ([PricedLine(Decimal(1), -100, Decimal(0))], 0, "lines", "negative_total"),
        (
            [PricedLine(Decimal(1), 100, Decimal(0)), PricedLine(Decimal(1), -99, Decimal(100))],
            0, "lines", "negative_total",
        ),
        ([PricedLine(Decimal(2), MAX_MINOR, Decimal(0))], 0, "lines.0.unit_price_minor", "too_large"),
        ([PricedLine(Decimal(1), MAX_MINOR, Decimal(0))] * 2, 0, "lines", "too_large"),
        ([PricedLine(Decimal(1), MAX_MINOR, Decimal("0.01"))], 0, "lines", "too_large"),
    ],
)  # fmt: skip
def test_what_cannot_be_charged_is_refused(drawn: list[PricedLine], discount: int, field: str, code: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        compute(drawn, discount_minor=discount)
    assert [(error.field, error.code) for error in refused.value.errors] == [(field, code)]


def _without_order(totals: Totals) -> tuple[object, ...]:
    return (sorted(totals.nets), totals.subtotal_minor, totals.tax_minor, totals.total_minor, totals.tax_groups)
