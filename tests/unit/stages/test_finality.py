"""Up to when windows are final: never beyond what the slowest source has brought, idle ones aside."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.finality import FORGOTTEN_MS, GRACE_MS, Idle, Place, Source, final_until, watermarks

NOON = 1_795_348_800_000
TOPIC = "fts.transfer"
A, B = Place(TOPIC, 0), Place(TOPIC, 1)
UNSEEN = "nobody asks the brokers"


def test_all_sources_of_all_partitions_must_have_come_by() -> None:
    progress = {Source(*A, "x:1"): NOON, Source(*A, "y:1"): NOON - 5, Source(*B, "x:1"): NOON - 9}
    found = watermarks(progress, Idle(None, {A: 0, B: 0}, UNSEEN))
    assert found[TOPIC].through_ms is None
    assert found[TOPIC].held_by == f"fts.transfer-1: nothing of y:1 is committed in it, and {UNSEEN}"

    found = watermarks(progress | {Source(*B, "y:1"): NOON - 7}, Idle(None, {A: 0, B: 3}, UNSEEN))
    assert found[TOPIC].through_ms == NOON - 9
    assert found[TOPIC].held_by == "fts.transfer-1: x:1 was last heard in it then, and 3 messages wait"


def test_a_partition_without_lag_behind_empty_queues_is_idle() -> None:
    progress = {Source(*A, "x:1"): NOON - 500}
    idle = watermarks(progress, Idle(NOON, {A: 0, B: 0}, ""))[TOPIC]
    assert (idle.through_ms, idle.held_by) == (NOON, "fts.transfer-0 was idle when it was last looked at")
    # One that has lag holds the others back, as far as it has come.
    assert watermarks(progress, Idle(NOON, {A: 7, B: 0}, ""))[TOPIC].through_ms == NOON - 500
    assert watermarks(progress, Idle(NOON, {A: 0, B: 7}, ""))[TOPIC].through_ms is None


def test_a_broker_that_was_long_not_heard_holds_nothing_back() -> None:
    progress = {Source(*A, "x:1"): NOON, Source(*A, "old:1"): NOON - FORGOTTEN_MS}
    assert watermarks(progress, Idle(None, {A: 0}, UNSEEN))[TOPIC].through_ms == NOON
    still = {Source(*A, "x:1"): NOON, Source(*A, "old:1"): NOON - FORGOTTEN_MS + 1}
    assert watermarks(still, Idle(None, {A: 0}, UNSEEN))[TOPIC].through_ms == NOON - FORGOTTEN_MS + 1


def test_a_window_is_final_35_minutes_after_its_end() -> None:
    assert final_until(NOON + GRACE_MS) == NOON
    assert final_until(NOON + GRACE_MS - 1) == NOON - 600_000


places = st.builds(Place, st.sampled_from(["fts.transfer", "xrootd.transfer"]), st.integers(0, 3))
times = st.integers(NOON - 2 * FORGOTTEN_MS, NOON)
progresses = st.dictionaries(
    st.builds(
        lambda place, origin: Source(place.topic, place.partition, origin), places, st.sampled_from(["x", "y", "z"])
    ),
    times,
)


@given(progresses, st.dictionaries(places, st.integers(0, 2)), st.none() | times)
def test_no_source_that_is_not_idle_or_gone_is_overtaken(
    progress: dict[Source, int], lags: dict[Place, int], empty_at_ms: int | None
) -> None:
    found = watermarks(progress, Idle(empty_at_ms, lags, UNSEEN))
    assert found.keys() == {place.topic for place in lags}
    for topic, watermark in found.items():
        newest = {s.origin: 0 for s in progress if s.topic == topic}
        for source, at in progress.items():
            if source.topic == topic:
                newest[source.origin] = max(newest[source.origin], at)
        for place in (place for place in lags if place.topic == topic):
            if lags[place] == 0 and empty_at_ms is not None:
                assert watermark.through_ms is None or watermark.through_ms <= empty_at_ms
                continue
            for origin, at in newest.items():
                if at > max(newest.values()) - FORGOTTEN_MS and watermark.through_ms is not None:
                    assert watermark.through_ms <= progress[Source(*place, origin)]


@given(progresses, st.dictionaries(places, st.integers(0, 2)), times, st.integers(0, FORGOTTEN_MS))
def test_what_is_heard_later_never_takes_anything_back(
    progress: dict[Source, int], lags: dict[Place, int], empty_at_ms: int, passed_ms: int
) -> None:
    now = watermarks(progress, Idle(empty_at_ms, lags, ""))
    later = watermarks(
        {source: at + passed_ms for source, at in progress.items()}, Idle(empty_at_ms + passed_ms, lags, "")
    )
    assert all((later[topic].through_ms or 0) >= (mark.through_ms or 0) for topic, mark in now.items())
