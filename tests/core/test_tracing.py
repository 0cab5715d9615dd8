"""W3C Trace Context: what is well formed is carried on as a child, what is not begins anew."""

import re

import pytest

from apps.core import correlation, tracing

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def test_a_step_is_a_child_of_what_called_it() -> None:
    span = tracing.bind(f"00-{TRACE}-{PARENT}-01", "vendor=1,other@v=a b")
    assert (span.trace_id, span.parent_id, span.flags, span.state) == (TRACE, PARENT, "01", "vendor=1,other@v=a b")
    assert span.span_id not in (PARENT, "0" * 16)
    assert span.header == f"00-{TRACE}-{span.span_id}-01"
    assert tracing.current() is span


@pytest.mark.parametrize("flags", ["00", "02", "fe"])
def test_what_is_not_sampled_stays_so(flags: str) -> None:
    assert tracing.bind(f"00-{TRACE}-{PARENT}-{flags}").flags == "00"


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    assert tracing.bind(f"cc-{TRACE}-{PARENT}-01-what-the-future-brings").header.startswith(f"00-{TRACE}-")


@pytest.mark.parametrize(
    "parent",
    [
        None,
        "",
        "00",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{PARENT}-01-more",
        f"cc-{TRACE}-{PARENT}-01more",
        f"00-{TRACE}-{PARENT}-1",
        f"00-{TRACE}-{PARENT}-01\n",
        f" 00-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01,00-{TRACE}-{PARENT}-01",
        f"00-{TRACE[:-1]}é-{PARENT}-01",
        "00-" + "a" * 10_000,
    ],
)
def test_what_is_malformed_begins_a_trace(parent: str | None) -> None:
    span = tracing.bind(parent, "vendor=1")
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", span.header)
    assert (TRACE in span.header, span.parent_id, span.state) == (False, "", "")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a=1,, b=2 ", "a=1,b=2"),
        ("A=1", ""),
        ("a=1,a=2", ""),
        ("a", ""),
        ("a=1\r\nx: y", ""),
        ("a=é", ""),
        (",".join(f"k{n}=1" for n in range(33)), ""),
        ("a=" + "x" * 256 + ",b=" + "y" * 254 + ",c=1", "a=" + "x" * 256 + ",c=1"),
        ("x" * 100_000, ""),
    ],
)
def test_a_state_is_kept_whole_or_not_at_all(given: str, kept: str) -> None:
    if len(given) > 500 and kept:
        kept = given.replace(",b=" + "y" * 254, "")
    assert tracing.bind(f"00-{TRACE}-{PARENT}-01", given).state == kept


def test_calls_to_the_outside_carry_both_ids() -> None:
    correlation.bind("outbound-1")
    span = tracing.bind(f"00-{TRACE}-{PARENT}-01", "vendor=1")
    assert tracing.outbound_headers() == {
        "X-Correlation-ID": "outbound-1",
        "traceparent": span.header,
        "tracestate": "vendor=1",
    }
