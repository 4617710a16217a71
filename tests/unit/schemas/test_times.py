"""Wire times: every spelling of an instant gives the same ms, nothing becomes 1970, nonsense is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.times import MAX_MS, BadTime, is_zero_time, wire_time
from tests.support.oracle_messages import Unusable, read_instant

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MS_FROM, MICROSECONDS_FROM = 10**11, 10**14
# Instants whose number of seconds, ms and µs each lie in the range that tells their unit: 1973-03 to year 5138.
SAYABLE = st.integers(min_value=MS_FROM, max_value=MICROSECONDS_FROM - 1)


@pytest.mark.parametrize("value", [None, "", "   ", 0, 0.0, -0.0, "0", "0.000000", "-0", "+0.0", "0e5"])
def test_nothing_and_zero_mean_that_it_did_not_happen(value: Any) -> None:
    assert wire_time(value) is None


@pytest.mark.parametrize(
    ("value", "ms"),
    [
        ("1321612263000.000000", 1_321_612_263_000),  # FTS2 of 2011
        ("1326736000000.000000", 1_326_736_000_000),  # the draft of 2012
        (1_493_217_344_240, 1_493_217_344_240),  # FTS3
        (1_493_217_344_240.75, 1_493_217_344_240),  # the float ms of the REST interface
        (1_308_132_353.934122, 1_308_132_353_934),  # seconds, as once proposed
        ("1308132353.934122", 1_308_132_353_934),
        (1_308_132_353, 1_308_132_353_000),
        ("1308132353", 1_308_132_353_000),
        (1_493_217_344_240_999, 1_493_217_344_240),  # microseconds
        ("1493217344240999", 1_493_217_344_240),
        ("1.493217344240999e15", 1_493_217_344_240),
        ("2011-06-15T10:05:53.934122", 1_308_132_353_934),  # no zone: UTC
        ("2011-06-15T10:05:53.934122Z", 1_308_132_353_934),
        ("2011-06-15T12:05:53.934+02:00", 1_308_132_353_934),
        ("2011-06-15 10:05:53", 1_308_132_353_000),
        (" 1321612263000 ", 1_321_612_263_000),
        (MS_FROM - 1, (MS_FROM - 1) * 1000),  # the last that is seconds, then the first that is ms
        (MS_FROM, MS_FROM),
        (MICROSECONDS_FROM - 1, MICROSECONDS_FROM - 1),  # the last that is ms, then the first that is µs
        (MICROSECONDS_FROM, MICROSECONDS_FROM // 1000),
        ("0001321612263", 1_321_612_263_000),  # zeros in front change no magnitude
        ("9999-12-30T23:59:59.999999Z", MAX_MS),
        (MAX_MS * 1000 + 999, MAX_MS),
    ],
)
def test_every_spelling_of_an_instant(value: Any, ms: int) -> None:
    assert wire_time(value) == ms


@pytest.mark.parametrize(
    "value",
    [
        -1,
        -1.5,
        "-1321612263000",
        "yesterday",
        "10:05:53",
        "2011-13-01T00:00:00",
        "1969-12-31T23:59:59Z",
        "9999-12-31T00:00:00Z",  # for ever
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",
        10**18,
        10**400,
        "1e18",
        "1e999",
        "1e999999999",
        "1" * 5000,
        "NaN",
        "-inf",
        "1_321_612_263_000",
        "١٣٢١٦١٢٢٦٣٠٠٠",
        float("inf"),
        float("nan"),
        True,
        False,
        [],
        {},
        [1_321_612_263_000],
        "1321612263000\0",
    ],
)
def test_what_is_there_but_is_no_time_is_refused(value: Any) -> None:
    with pytest.raises(BadTime) as refused:
        wire_time(value)
    assert len(str(refused.value)) < 200, "the detail of a dead letter is a sentence, not the value itself"


@given(SAYABLE)
def test_seconds_ms_and_microseconds_of_one_instant_are_the_same_time(ms: int) -> None:
    seconds = Decimal(ms) / 1000
    assert wire_time(ms) == wire_time(str(ms)) == wire_time(f"{ms}.000000") == wire_time(ms * 1000) == ms
    if seconds < MS_FROM:
        assert wire_time(str(seconds)) == ms


@given(
    st.integers(min_value=86_400_000, max_value=MAX_MS - 86_400_000),
    st.integers(min_value=0, max_value=999),
    st.integers(min_value=-14 * 60, max_value=14 * 60),
)
def test_iso_text_is_the_instant_it_names_in_any_zone(ms: int, microseconds: int, minutes: int) -> None:
    moment = EPOCH + timedelta(milliseconds=ms, microseconds=microseconds)
    assert wire_time(moment.isoformat().removesuffix("+00:00")) == ms
    assert wire_time(moment.astimezone(timezone(timedelta(minutes=minutes))).isoformat()) == ms


@given(
    st.one_of(
        st.integers(),
        st.floats(),
        st.integers(min_value=0, max_value=MAX_MS * 1001).map(str),
        st.decimals(allow_nan=False, allow_infinity=False, min_value=0, max_value=10**18).map(lambda d: f"{d:f}"),
        st.text(alphabet="0123456789.-+eE: TZ", max_size=30),
        st.booleans(),
        st.none(),
        st.lists(st.integers(), max_size=1),
    )
)
@example("1308132353.99999999999999999999999999999999")
@example("1321612263999999.9999999999999999999999")
@example("0.0001")
def test_any_value_reads_as_an_independent_reading_says(value: Any) -> None:
    wire = Decimal(repr(value)) if isinstance(value, float) else value
    if isinstance(value, str) and (value.strip().startswith((".", "+.", "-.")) or len(value) > 40):
        return  # no producer writes them, and either reading is as good
    try:
        expected = read_instant(wire)
    except Unusable:
        with pytest.raises(BadTime):
            wire_time(value)
    else:
        assert wire_time(value) == (expected or None)
        if expected is not None and value is not None:
            assert is_zero_time(value) == (expected == 0)


@pytest.mark.parametrize("value", [0, 0.0, "0", "0.000000", " 0 ", "-0", "1970-01-01T00:00:00Z"])
def test_a_time_that_was_sent_as_zero_is_told_from_one_that_was_not_sent(value: Any) -> None:
    assert wire_time(value) is None
    assert is_zero_time(value)


@pytest.mark.parametrize("value", [None, "", "  "])
def test_nothing_is_not_a_zero(value: Any) -> None:
    assert not is_zero_time(value)
