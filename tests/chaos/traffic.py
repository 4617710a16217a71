"""What is published in a run, to both brokers, and the record of it that the oracle recounts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from random import Random

from consumers.bridge.publish import publish
from pipeline.simulator import Mix, SimMessage, simulate
from tests.support.fts_messages import HOUR, RECENT
from tests.support.hostile import hostile_messages
from tests.support.publishing import Publisher, broker_of
from tests.support.recounted import rough_traffic

RATE = 25
"""Messages a second of a share for each broker, as long as faults come; the rest follows at once."""
_HURRY = 2000
_BURST = 300
_LARGEST = 100_000
_POISONED = Mix(poison=0.9)


class Traffic:
    """Messages in shares, each begun when the run says so; every other one goes to the other broker."""

    def __init__(self, messages: Sequence[SimMessage], brokers: Sequence[Mapping[str, str]], shares: int) -> None:
        """``brokers``: the settings that name each of them."""
        self._brokers = brokers
        self._waiting = [messages[number::shares] for number in range(shares)]
        self._begun: list[tuple[int, Sequence[SimMessage], Publisher]] = []
        self._more: list[SimMessage] = []

    def go_on(self) -> None:
        """Begin the next share; the brokers must be there."""
        share = self._waiting.pop(0)
        for number, broker in enumerate(self._brokers):
            messages = share[number :: len(self._brokers)]
            publisher = Publisher(messages, broker, RATE, chunks_a_second=1)
            self._begun.append((number, messages, publisher))
            publisher.__enter__()

    def finish(self) -> None:
        """Publish all that is left; returns when the brokers have stored it."""
        while self._waiting:
            self.go_on()
        for _, _, publisher in self._begun:
            publisher.hurry(_HURRY)
        for _, _, publisher in self._begun:
            publisher.__exit__(None, None, None)

    def stop(self) -> None:
        """Publish no more."""
        for _, _, publisher in self._begun:
            publisher.stop()

    def published(self) -> list[SimMessage]:
        """All that the brokers have stored, a copy for each time."""
        chosen = [message for _, share, publisher in self._begun for message in share[: publisher.published]]
        return [*chosen, *self._more]

    @contextmanager
    def paused(self, broker: int) -> Iterator[None]:
        """Nothing is on the way to that broker meanwhile: it may go away."""
        with ExitStack() as all_paused:
            for number, _, publisher in self._begun:
                if number == broker:
                    all_paused.enter_context(publisher.paused())
            yield

    def publish(self, messages: Sequence[SimMessage], rng: Random) -> None:
        """At once and beside all else, each to any of the brokers; all of them must be there."""
        shares: list[list[SimMessage]] = [[] for _ in self._brokers]
        for message in messages:
            rng.choice(shares).append(message)
        for share, broker in zip(shares, self._brokers, strict=True):
            publish(share, broker_of(broker), _HURRY)
            self._more += share


def regular(messages: int, seed: int) -> list[SimMessage]:
    """Shuffled, repeated, lost, poisoned."""
    return rough_traffic(messages, seed)


def poison(rng: Random) -> list[SimMessage]:
    """Hundreds of messages, most of which nobody can use, and every small one that an operator dreads."""
    hostile = [each.message for each in hostile_messages() if len(each.message.body) < _LARGEST]
    messages = [*simulate(_BURST, rng.randrange(2**32), RECENT, mix=_POISONED), *hostile]
    rng.shuffle(messages)
    return messages


def skewed(rng: Random) -> list[SimMessage]:
    """Good messages; by their broker's clock they came up to an hour before or after they did."""
    messages = []
    for message in simulate(_BURST, rng.randrange(2**32), RECENT, mix=Mix(poison=0)):
        received_ms = message.received_ms + rng.randint(-HOUR, HOUR)
        messages.append(
            message._replace(received_ms=received_ms, headers={**message.headers, "timestamp": str(received_ms)})
        )
    return messages
