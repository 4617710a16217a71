"""Faults of the processes under test themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from tests.chaos.crew import WORKER, WORKERS
from tests.chaos.scene import Play, Scene
from tests.chaos.schedule import Fault
from tests.support.release import EXPAND, PAINTING, release

_SCALES = (1, 4, 2, 4, 1, WORKERS)
_CLOCKS = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib/faketime/libfaketimeMT.so.1")
_HOUR_S = 3600


def killed(name: str) -> Play:
    @contextmanager
    def play(scene: Scene, fault: Fault, rng: Random) -> Iterator[None]:
        scene.crew.kill(name, rng)
        yield

    return play


def frozen(name: str) -> Play:
    @contextmanager
    def play(scene: Scene, fault: Fault, rng: Random) -> Iterator[None]:
        victim = scene.crew.one(name, rng)
        victim.pause()
        try:
            yield
        finally:
            victim.go_on()

    return play


@contextmanager
def rescaled(scene: Scene, fault: Fault, rng: Random) -> Iterator[None]:
    for number, workers in enumerate(_SCALES):
        scene.later(fault.lasts_s * number / len(_SCALES), lambda workers=workers: scene.crew.scale(workers))  # type: ignore[misc]
    yield
    scene.crew.scale(WORKERS)


@contextmanager
def wrong_clock(scene: Scene, fault: Fault, rng: Random) -> Iterator[None]:
    library = clock_library()
    assert library is not None, "asked for before"
    by_s = rng.choice((-_HOUR_S, _HOUR_S))
    told = {"LD_PRELOAD": str(library), "FAKETIME": f"{by_s:+d}", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    scene.crew.replace_worker(told)
    yield


@contextmanager
def upgraded(scene: Scene, fault: Fault, rng: Random) -> Iterator[None]:
    """Whoever is started later is of the release before again: both write side by side until the run ends."""
    new = release(scene.folder / f"release-{fault.seed}", [EXPAND], PAINTING)
    scene.crew.upgrade_tables(new)
    scene.crew.replace_worker(new)
    yield


def clock_library() -> Path | None:
    """What gives a process another clock, if it is installed (Debian: faketime)."""
    return next((path for pattern in _CLOCKS for path in Path("/").glob(pattern[1:])), None)


PLAYS: dict[str, Play] = {
    **{f"{name}-killed": killed(name) for name in ("worker", "bridge", "relay")},
    **{f"{name}-frozen": frozen(name) for name in (WORKER, "bridge")},
    "workers-rescaled": rescaled,
    "worker-clock": wrong_clock,
    "tables-upgraded": upgraded,
}
