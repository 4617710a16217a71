"""Health: what makes a worker unhealthy, and what the log and the page say."""

from __future__ import annotations

from consumers.health import STALLED_S
from consumers.worker.health import Health
from pipeline.ingest import BatchResult


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_new_worker_is_healthy() -> None:
    assert Health(Clock()).why_not() is None


def test_a_service_that_is_away_makes_it_unhealthy_until_it_is_back() -> None:
    health = Health(Clock())
    health.trouble("Kafka", "Kafka at a:1 cannot be reached")
    health.trouble("PostgreSQL", "PostgreSQL at b:2 cannot be reached")
    assert health.why_not() == "Kafka at a:1 cannot be reached; PostgreSQL at b:2 cannot be reached"
    health.well("Kafka")
    assert health.why_not() == "PostgreSQL at b:2 cannot be reached"
    health.well("PostgreSQL")
    assert health.why_not() is None


def test_no_commit_and_no_idle_moment_for_long_is_unhealthy() -> None:
    clock = Clock()
    health = Health(clock)
    health.committed(BatchResult(5, 5, 0, 0))
    clock.now += STALLED_S + 1
    assert health.why_not() == "no batch was committed for 61 s"
    health.idle()
    assert health.why_not() is None
    clock.now += STALLED_S + 1
    health.committed(BatchResult(1, 1, 0, 0))
    assert health.why_not() is None


def test_the_line_tells_of_the_time_since_the_last_one() -> None:
    clock = Clock()
    health = Health(clock)
    health.committed(BatchResult(100, 90, 6, 4))
    health.committed(BatchResult(200, 200, 0, 0))
    clock.now += 30
    assert health.line() == "300 messages in 30 s (10/s): 290 stored, 6 duplicate, 4 dead letters; healthy"
    clock.now += 30
    assert health.line() == "0 messages in 30 s (0/s): 0 stored, 0 duplicate, 0 dead letters; healthy"


def test_the_report_counts_from_the_beginning() -> None:
    clock = Clock()
    health = Health(clock)
    assert health.report()["last_commit_age_s"] is None
    health.committed(BatchResult(3, 1, 1, 1))
    clock.now += 2.5
    assert health.report() == {
        "healthy": True,
        "why": None,
        "last_commit_age_s": 2.5,
        "received": 3,
        "stored": 1,
        "duplicate": 1,
        "dead": 1,
    }
