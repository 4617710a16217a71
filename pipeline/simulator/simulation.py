"""A simulation: numbers in, messages with known truth out. The same numbers always give the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import NamedTuple

from pipeline.simulator.bodies import published
from pipeline.simulator.families import AnySending, sendings
from pipeline.simulator.mix import Mix
from pipeline.simulator.places import EndpointOf, named_alone
from pipeline.simulator.truth import Truth, find_truth

LOOK_AHEAD = 20_000
"""No message is published more places than this after its place in the script, so that memory stays flat."""


class SimMessage(NamedTuple):
    """A message as a broker would hand it out. ``headers`` tell its ``received_ms`` as the broker's ``timestamp``."""

    topic: str
    body: bytes
    headers: dict[str, str]
    received_ms: int


class Simulation:
    """Traffic of ``messages`` messages whose files begin evenly over ``span_ms`` from ``begin_ms`` on.

    Iterating gives the messages lazily in the order in which to publish them, and can be repeated. Transfers begun in
    the span end as late as they end, late messages are received hours after it.
    """

    def __init__(self, messages: int, seed: int, begin_ms: int, span_ms: int, mix: Mix) -> None:
        if messages < 0 or begin_ms <= 0 or span_ms <= 0:
            raise ValueError("a simulation needs 0 or more messages, a beginning after 1970 and a span of 1 ms or more")
        self.messages = messages
        self.seed = seed
        self.begin_ms = begin_ms
        self.span_ms = span_ms
        self.mix = mix

    def __iter__(self) -> Iterator[SimMessage]:
        return map(_message, self._in_turn())

    def __len__(self) -> int:
        return self.messages

    def truth(self, endpoint_of: EndpointOf = named_alone) -> Truth:
        """The result that these messages must have; takes about as long as making them.

        ``endpoint_of`` tells the VO endpoint of a host that no message names: of none, unless the store has a topology
        (``places.endpoint_of`` if it is the simulator's own).
        """
        return find_truth(self._sendings(), endpoint_of)

    def _sendings(self) -> Iterator[AnySending]:
        return sendings(self.seed, self.mix, self.messages, self.begin_ms, self.span_ms)

    def _in_turn(self) -> Iterator[AnySending]:
        """In the order of their turns; a turn that lies more than LOOK_AHEAD messages ahead comes that much ahead."""
        waiting: list[tuple[int, int, AnySending]] = []
        for place, sending in enumerate(self._sendings()):
            turn = (sending.turn_ms - self.begin_ms) * self.messages // self.span_ms
            heappush(waiting, (min(turn, place + LOOK_AHEAD), place, sending))
            while waiting and waiting[0][0] <= place:
                yield heappop(waiting)[2]
        while waiting:
            yield heappop(waiting)[2]


def simulate(messages: int, seed: int, begin_ms: int, span_ms: int = 3_600_000, mix: Mix | None = None) -> Simulation:
    """A simulation of ``messages`` messages; ``mix`` says how much of what it holds (default: FTS transfers alone)."""
    return Simulation(messages, seed, begin_ms, span_ms, mix or Mix())


def _message(sending: AnySending) -> SimMessage:
    topic, body = published(sending)
    headers = {"timestamp": str(sending.received_ms), "persistent": "true"}
    return SimMessage(topic, body, headers, sending.received_ms)
