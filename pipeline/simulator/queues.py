"""What the queues of the simulated FTS instances hold whenever somebody looks at them."""

from __future__ import annotations

from enum import Enum
from random import Random
from typing import NamedTuple

from pipeline.simulator.world import Link, World

LINKS_MAX = 6


class Shape(Enum):
    """How a report is laid out: as sent by FTS2 and FTS3 of 2012 (keys repeat), as proposed, as drafted in 2011, or as
    an optimizer message of FTS3, which tells of one pair of storages."""

    EXTRACTED = "extracted"
    PROPOSED = "proposed"
    DRAFT = "draft"
    OPTIMIZER = "optimizer"


class Sample(NamedTuple):
    """One line of a report. Both hosts ``""``: the channel as a whole. ``ratio`` is in %, None where FTS divided by a
    limit of 0 or sends none."""

    vo: str
    channel: str
    src_host: str
    dst_host: str
    active: int
    ready: int
    ratio: float | None


class QueueReport(NamedTuple):
    """An instance's queues at an instant; ``noise`` is 64 random bits for what nobody counts."""

    shape: Shape
    fts: str
    at_ms: int
    samples: tuple[Sample, ...]
    noise: int


class Queues:
    """Looks at the queues of one instance after the other."""

    def __init__(self, rng: Random, world: World) -> None:
        self._rng = rng
        self._world = world

    def look(self, at_ms: int) -> tuple[QueueReport, ...]:
        """A report; now and then two optimizers tell of the same link at the same instant."""
        rng = self._rng
        chance = rng.random()
        if chance < 0.6:
            first = self._optimizer(at_ms)
            if rng.random() < 0.1:
                sample = first.samples[0]
                other = sample._replace(active=sample.active + rng.randrange(-2, 3) % 7)
                return first, first._replace(samples=(other,), noise=rng.getrandbits(64))
            return (first,)
        if chance < 0.75:
            # A time of day has hundredths of a second.
            return (self._status(Shape.DRAFT, at_ms // 10 * 10),)
        return (self._status(Shape.EXTRACTED if chance < 0.9 else Shape.PROPOSED, at_ms),)

    def _optimizer(self, at_ms: int) -> QueueReport:
        link = self._world.pick(self._rng)
        sample = self._sample(link, "", "")._replace(ratio=None)
        return QueueReport(Shape.OPTIMIZER, link.instances[0], at_ms, (sample,), self._rng.getrandbits(64))

    def _status(self, shape: Shape, at_ms: int) -> QueueReport:
        rng = self._rng
        links = [self._world.pick(rng)]
        links += [link for _ in range(rng.randrange(LINKS_MAX)) if (link := self._world.pick(rng)).vo == links[0].vo]
        samples: list[Sample] = []
        for link in links:
            # The same pair of hosts may come up twice: then its line stands there twice, with other figures.
            channel = f"{link.src.label}-{link.dst.label}"
            samples.append(self._sample(link, "unknown" if shape is Shape.DRAFT else link.vo, channel))
        if rng.random() < 0.3:
            samples.append(samples[0]._replace(src_host="", dst_host="", active=samples[0].active + 3))
        if rng.random() < 0.1:
            again = rng.choice(samples)
            samples.append(again._replace(active=again.active + 2))
        if rng.random() < 0.05:
            samples = []
        fts = f"fts-{links[0].vo}-t0.cern.ch"
        return QueueReport(shape, fts, at_ms, tuple(samples), rng.getrandbits(64))

    def _sample(self, link: Link, vo: str, channel: str) -> Sample:
        chance = self._rng.random
        limit = self._rng.choice((0, 20, 50, 100))
        active = int(chance() * (limit or 10) * 1.1)
        # Six decimals are sent.
        ratio = round(active * 100 / limit, 6) if limit else None
        return Sample(vo, channel, link.src.name, link.dst.name, active, int(chance() ** 4 * 3000), ratio)
