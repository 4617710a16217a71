"""Schedules of the fault campaign."""

from __future__ import annotations

import pytest

from tests.chaos.schedule import KINDS, schedule

SEEDS = range(300)


def test_a_seed_always_gives_the_same_schedule() -> None:
    assert [schedule(seed, 0.1) for seed in SEEDS] == [schedule(seed, 0.1) for seed in SEEDS]
    assert len({schedule(seed, 0.1) for seed in SEEDS}) == len(SEEDS)


def test_all_kinds_come_alone_or_with_one_that_befalls_something_else() -> None:
    steps = [step for seed in SEEDS for step in schedule(seed, 0.1).steps]
    assert {fault.kind for step in steps for fault in step.faults} == set(KINDS)
    for step in steps:
        subjects = [KINDS[fault.kind].subject for fault in step.faults]
        assert 1 <= len(subjects) == len(set(subjects)) <= 2


def test_the_scale_shortens_faults_and_changes_nothing_else() -> None:
    full, short = schedule(7), schedule(7, 0.1)
    assert full.kinds == short.kinds
    assert full.messages == short.messages
    for long_step, short_step in zip(full.steps, short.steps, strict=True):
        assert [fault.lasts_s for fault in short_step.faults] == [f.lasts_s / 10 for f in long_step.faults]


def test_only_kinds_that_may_happen_do() -> None:
    assert {kind for seed in SEEDS for kind in schedule(seed, 0.1, ["disk-full"]).kinds} == {"disk-full"}
    with pytest.raises(ValueError, match="at least one kind"):
        schedule(1, 0.1, [])
