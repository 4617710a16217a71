"""Heard or not: what became of each source's messages, by receipt window, and how late they came."""

from __future__ import annotations

from pipeline.stages.sources import DEAD, DUPLICATE, STORED, Sources
from schemas.histogram import bin_of
from tests.support.fts_messages import HOUR, MINUTE, SECOND, T


def test_messages_count_in_the_window_of_their_receipt() -> None:
    sources = Sources()
    sources.note("fts3", T + 1, STORED, T - 2 * HOUR)
    sources.note("fts3", T + 10 * MINUTE - 1, DUPLICATE, T)
    sources.note("fts3", T + 10 * MINUTE, STORED, T)
    sources.note("transfer.fts_monitoring_start", T, DEAD, None)
    assert {where: delta.counts for where, delta in sources.deltas.items()} == {
        ("fts3", T): [2, 1, 1, 0],
        ("fts3", T + 10 * MINUTE): [1, 1, 0, 0],
        ("transfer.fts_monitoring_start", T): [1, 0, 0, 1],
    }


def test_lateness_is_whole_seconds_from_event_to_receipt_and_never_negative() -> None:
    sources = Sources()
    sources.note("fts3", T + 90 * SECOND + 999, STORED, T)
    sources.note("fts3", T, STORED, T + HOUR)  # a clock that is ahead
    (delta,) = sources.deltas.values()
    assert delta.lateness == {bin_of(90): 1, 0: 1}
    assert delta.lateness_max_s == 90
    assert (delta.last_event_ms, delta.last_received_ms) == (T + HOUR, T + 90 * SECOND + 999)


def test_a_dead_message_has_no_lateness() -> None:
    sources = Sources()
    sources.note("fts3", T, DEAD, None)
    (delta,) = sources.deltas.values()
    assert (delta.lateness, delta.lateness_max_s, delta.last_event_ms) == ({}, None, None)
    assert delta.last_received_ms == T
