"""The amounts of billing: nothing is created and nothing lost, whatever is charged, credited, discounted or taxed."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sandbox.stripe.billing.calendar import period_at, shifted
from sandbox.stripe.billing.pricing import packages, tiered_amount
from sandbox.stripe.billing.proration import Period, remaining
from sandbox.stripe.billing.reductions import Reducible, Reduction, reduce_lines
from sandbox.stripe.billing.rounding import half_up, shares
from sandbox.stripe.billing.settlement import settle
from sandbox.stripe.billing.taxation import added, taxes_on
from sandbox.stripe.billing.totals import total_up
from sandbox.stripe.shapes import JsonObject

AMOUNTS = st.integers(0, 99_999_999)
INSTANTS = st.integers(1_500_000_000, 2_000_000_000)
PERIODS = st.builds(lambda start, length: Period(start, start + length), INSTANTS, st.integers(3_600, 400 * 86_400))
INTERVALS = st.sampled_from(["day", "week", "month", "year"])
PERCENTAGES = st.integers(1, 10_000).map(lambda hundredths: Fraction(hundredths, 100))


@given(amount=AMOUNTS, period=PERIODS, share=st.fractions(0, 1))
def test_used_and_unused_time_make_the_whole(amount: int, period: Period, share: Fraction) -> None:
    at = period.start + int((period.end - period.start) * share)
    left = remaining(amount, period, at)
    assert 0 <= left <= amount
    assert remaining(-amount, period, at) == -left
    exact = amount * Fraction(period.end - at, period.end - period.start)
    assert abs(left - exact) <= Fraction(1, 2)


@given(amount=AMOUNTS, period=PERIODS, outside=st.integers(0, 10**7))
def test_before_the_period_all_is_left_and_after_it_nothing(amount: int, period: Period, outside: int) -> None:
    assert remaining(amount, period, period.start - outside) == amount
    assert remaining(amount, period, period.end + outside) == 0


@given(amount=AMOUNTS, period=PERIODS, first=st.fractions(0, 1), second=st.fractions(0, 1))
def test_less_is_left_as_time_goes(amount: int, period: Period, first: Fraction, second: Fraction) -> None:
    early, late = (period.start + int((period.end - period.start) * at) for at in sorted((first, second)))
    assert remaining(amount, period, early) >= remaining(amount, period, late)


@given(old=AMOUNTS, new=AMOUNTS, period=PERIODS, share=st.fractions(0, 1))
def test_there_and_back_at_one_instant_is_nothing(old: int, new: int, period: Period, share: Fraction) -> None:
    at = period.start + int((period.end - period.start) * share)
    there = remaining(new, period, at) - remaining(old, period, at)
    back = remaining(old, period, at) - remaining(new, period, at)
    assert there + back == 0


@given(
    prices=st.lists(AMOUNTS, min_size=2, max_size=6),
    period=PERIODS,
    cuts=st.lists(st.fractions(0, 1), min_size=5, max_size=5),
)
def test_many_changes_cost_what_was_used(prices: list[int], period: Period, cuts: list[Fraction]) -> None:
    instants = [period.start + int((period.end - period.start) * cut) for cut in sorted(cuts)[: len(prices) - 1]]
    charged = prices[0]
    for at, (old, new) in zip(instants, pairwise(prices), strict=True):
        charged += remaining(new, period, at) - remaining(old, period, at)
    length = period.end - period.start
    bounds = [period.start, *instants, period.end]
    used = sum(
        Fraction(price * (until - since), length)
        for price, (since, until) in zip(prices, pairwise(bounds), strict=True)
    )
    # Every change rounds twice, by half a cent at most.
    assert abs(charged - used) <= len(instants)


@given(total=AMOUNTS, weights=st.lists(st.integers(0, 10**7), min_size=1, max_size=12))
def test_shares_add_up_and_none_is_off_by_a_whole_cent(total: int, weights: list[int]) -> None:
    parts = shares(total, weights)
    whole = sum(weights)
    assert sum(parts) == (total if whole else 0)
    for part, weight in zip(parts, weights, strict=True):
        assert part >= 0
        assert whole == 0 or abs(part - Fraction(total * weight, whole)) < 1


@given(numerator=st.integers(-(10**9), 10**9), denominator=st.integers(1, 10**6))
def test_halves_go_up_and_signs_cancel(numerator: int, denominator: int) -> None:
    exact = Fraction(numerator, denominator)
    assert abs(half_up(exact) - exact) <= Fraction(1, 2)
    assert half_up(-exact) == -half_up(exact)
    assert half_up(Fraction(2 * numerator + 1, 2)) == (numerator + 1 if numerator >= 0 else numerator)


REDUCIBLES = st.lists(
    st.builds(Reducible, st.integers(-(10**6), 10**7), st.sampled_from(["a", "b", None]), st.booleans()),
    min_size=1,
    max_size=8,
)
REDUCTIONS = st.lists(
    st.one_of(
        st.builds(lambda percent: Reduction("p", percent_off=percent), PERCENTAGES),
        st.builds(lambda amount: Reduction("f", amount_off=amount), AMOUNTS),
        st.builds(lambda amount: Reduction("a", amount_off=amount, products=frozenset({"a"})), AMOUNTS),
    ),
    max_size=4,
    unique_by=lambda reduction: reduction.discount,
)


@given(lines=REDUCIBLES, reductions=REDUCTIONS)
def test_discounts_never_turn_a_line_negative_nor_touch_a_credit(
    lines: list[Reducible], reductions: list[Reduction]
) -> None:
    for line, taken in zip(lines, reduce_lines(lines, reductions), strict=True):
        off = sum(taken.values())
        assert 0 <= off <= max(line.amount, 0)
        if not line.discountable:
            assert off == 0
        assert "a" not in taken or line.product == "a"


@given(lines=REDUCIBLES, amount=AMOUNTS)
def test_an_amount_off_is_spent_whole_or_takes_all(lines: list[Reducible], amount: int) -> None:
    taken = reduce_lines(lines, [Reduction("f", amount_off=amount)])
    reachable = sum(max(line.amount, 0) for line in lines if line.discountable)
    assert sum(off.get("f", 0) for off in taken) == min(amount, reachable)


@given(amount=AMOUNTS, percent=PERCENTAGES)
def test_a_percentage_is_rounded_half_up_on_the_line(amount: int, percent: Fraction) -> None:
    [taken] = reduce_lines([Reducible(amount)], [Reduction("p", percent_off=percent)])
    assert taken.get("p", 0) == int(amount * percent / 100 + Fraction(1, 2))


def _rate(percentage: float, *, inclusive: bool) -> JsonObject:
    return {"id": f"txr_{percentage}_{inclusive}", "inclusive": inclusive, "percentage": percentage}


RATES = st.lists(
    st.builds(
        lambda hundredths, inclusive: _rate(hundredths / 100, inclusive=inclusive),
        st.integers(0, 3_000),
        st.booleans(),
    ),
    max_size=3,
    unique_by=lambda rate: rate["id"],
)


@given(net=st.integers(-(10**8), 10**8), rates=RATES)
def test_taxes_mirror_for_credits_and_vanish_for_the_exempt(net: int, rates: list[JsonObject]) -> None:
    charged, credited = taxes_on(net, rates, "none"), taxes_on(-net, rates, "none")
    assert [tax["amount"] for tax in charged] == [-tax["amount"] for tax in credited]
    assert all(tax["amount"] == 0 for tax in taxes_on(net, rates, "reverse"))
    for tax in charged:
        assert abs(tax["amount"]) <= abs(net)
    contained = added(charged, "inclusive")
    assert abs(contained) <= abs(net)


@given(
    total=st.integers(-(10**7), 10**7), balance=st.integers(-(10**7), 10**7), currency=st.sampled_from(["eur", "jpy"])
)
def test_the_balance_neither_makes_nor_loses_money(total: int, balance: int, currency: str) -> None:
    settlement = settle(total, balance, currency)
    assert settlement.amount_due >= 0
    assert settlement.amount_due + settlement.ending_balance == total + balance
    assert settlement.amount_due == 0 or settlement.ending_balance == 0


LINES = st.lists(
    st.tuples(st.integers(-(10**6), 10**7), st.sampled_from(["a", "b", None]), st.booleans(), RATES),
    min_size=1,
    max_size=6,
)


@given(drafts=LINES, reductions=REDUCTIONS, balance=st.integers(-(10**6), 10**6))
def test_an_invoice_is_the_sum_of_its_lines(
    drafts: list[tuple[int, str | None, bool, list[JsonObject]]], reductions: list[Reduction], balance: int
) -> None:
    lines: list[JsonObject] = [
        {
            "id": str(place),
            "amount": amount,
            "discountable": discountable,
            "pricing": product and {"price_details": {"product": product}},
        }
        for place, (amount, product, discountable, _) in enumerate(drafts)
    ]
    invoice: JsonObject = {"amount_paid": 0, "currency": "eur", "customer_tax_exempt": "none"}
    rates = {str(place): draft[3] for place, draft in enumerate(drafts)}
    total_up(invoice, lines, reductions=reductions, rates=rates, balance=balance)
    off = [taken["amount"] for line in lines for taken in line["discount_amounts"]]
    taxes = [tax for line in lines for tax in line["taxes"]]
    assert invoice["subtotal"] == sum(line["amount"] for line in lines)
    assert sum(off) == sum(taken["amount"] for taken in invoice["total_discount_amounts"])
    assert sum(tax["amount"] for tax in taxes) == sum(tax["amount"] for tax in invoice["total_taxes"])
    assert invoice["total"] == invoice["subtotal"] - sum(off) + added(taxes, "exclusive")
    assert invoice["total_excluding_tax"] == invoice["total"] - sum(tax["amount"] for tax in taxes)
    assert invoice["amount_due"] + settle(invoice["total"], balance, "eur").ending_balance == invoice["total"] + balance
    assert invoice["amount_remaining"] == invoice["amount_due"]


@st.composite
def _tiers(draw: st.DrawFn) -> list[JsonObject]:
    limits = sorted(draw(st.sets(st.integers(1, 500), max_size=4)))
    return [
        {
            "up_to": limit,
            "flat_amount_decimal": draw(st.sampled_from([None, "0", "500"])),
            "unit_amount_decimal": str(draw(st.integers(0, 5_000))),
        }
        for limit in [*limits, None]
    ]


@given(tiers=_tiers(), quantity=st.integers(0, 700))
def test_graduated_tiers_add_up_unit_by_unit(tiers: list[JsonObject], quantity: int) -> None:
    flats, units, below = Fraction(0), Fraction(0), 0
    for tier in tiers:
        top = quantity if tier["up_to"] is None else min(quantity, tier["up_to"])
        if quantity > below or below == 0:
            flats += Fraction(tier["flat_amount_decimal"] or 0)
        units += Fraction(tier["unit_amount_decimal"]) * max(top - below, 0)
        below = max(top, below)
        if tier["up_to"] is None or quantity <= tier["up_to"]:
            break
    assert tiered_amount(tiers, "graduated", quantity) == flats + units


@given(tiers=_tiers(), quantity=st.integers(0, 700))
def test_volume_tiers_price_all_units_alike(tiers: list[JsonObject], quantity: int) -> None:
    tier = next(tier for tier in tiers if tier["up_to"] is None or quantity <= tier["up_to"])
    flat = Fraction(tier["flat_amount_decimal"] or 0)
    assert tiered_amount(tiers, "volume", quantity) == flat + Fraction(tier["unit_amount_decimal"]) * quantity


@given(quantity=st.integers(0, 10**6), size=st.integers(1, 1_000))
def test_packages_round_up_or_down(quantity: int, size: int) -> None:
    down = packages({"divide_by": size, "round": "down"}, quantity)
    up = packages({"divide_by": size, "round": "up"}, quantity)
    assert down * size <= quantity <= up * size
    assert up - down in (0, 1)
    assert packages(None, quantity) == quantity


@given(anchor=INSTANTS, interval=INTERVALS, count=st.integers(1, 12), instant=INSTANTS)
def test_periods_follow_each_other_without_gap(anchor: int, interval: str, count: int, instant: int) -> None:
    start, end = period_at(anchor, interval, count, instant)
    assert start <= instant < end
    assert period_at(anchor, interval, count, end)[0] == end
    assert period_at(anchor, interval, count, start - 1)[1] == start


def test_the_31st_comes_back_after_short_months() -> None:
    anchor = int(datetime(2026, 1, 31, 12, tzinfo=UTC).timestamp())
    days = [datetime.fromtimestamp(shifted(anchor, "month", number), UTC).day for number in range(5)]
    assert days == [31, 28, 31, 30, 31]
    leap = int(datetime(2024, 2, 29, tzinfo=UTC).timestamp())
    assert [datetime.fromtimestamp(shifted(leap, "year", number), UTC).day for number in (0, 1, 4)] == [29, 28, 29]
