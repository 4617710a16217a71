"""Inputs in blocks, each of which follows from the seed, the parser and its number; what escapes, and what is slow."""

from __future__ import annotations

import time
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.fuzz.mutate import mutated, sample_of
from tests.fuzz.targets import Target

BLOCK = 1000
SLOW_S = 2.0
"""Processor time of one input."""


class Escape(NamedTuple):
    """An input that a parser did not take as it should: what happened instead."""

    parser: str
    content: bytes
    error: Exception | None
    seconds: float

    @property
    def place(self) -> str:
        """What and where, the same for all inputs that meet the same fault."""
        if self.error is None:
            return f"{self.parser}: slow"
        *_, last = traceback.extract_tb(self.error.__traceback__)
        return f"{self.parser}: {type(self.error).__name__} in {Path(last.filename).name}:{last.lineno}"

    def __str__(self) -> str:
        told = f"{self.seconds:.1f} s of processor time" if self.error is None else str(self.error)
        return f"{self.place}: {told[:300]}"


class Fuzzer:
    """The inputs of one parser; ``outcomes`` counts what became of them."""

    def __init__(self, target: Target, seed: int) -> None:
        self.target = target
        self.outcomes: Counter[str] = Counter()
        self.seconds = 0.0
        self._seed = seed
        self._block = 0
        self._samples = tuple(map(sample_of, target.samples))

    @property
    def inputs(self) -> int:
        """How many have been tried."""
        return self.outcomes.total()

    def block(self, inputs: int = BLOCK) -> Iterator[Escape]:
        """Try the next so many; what escapes is told and counted, and the rest goes on."""
        rng = Random(f"{self._seed}/{self.target.name}/{self._block}")
        self._block += 1
        began = time.thread_time()
        for _ in range(inputs):
            content = mutated(rng, self._samples)
            escape = attempt(self.target, content, self.outcomes)
            if escape is not None:
                yield escape
        self.seconds += time.thread_time() - began


def attempt(target: Target, content: bytes, outcomes: Counter[str]) -> Escape | None:
    """Try one input."""
    began = time.thread_time()
    try:
        outcomes[target.read(content)] += 1
    except Exception as error:  # noqa: BLE001 - whatever is raised is what is looked for
        outcomes["escaped"] += 1
        return Escape(target.name, content, error, time.thread_time() - began)
    took = time.thread_time() - began
    return Escape(target.name, content, None, took) if took > SLOW_S else None
