"""What happens in a run, decided by its seed alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from random import Random
from typing import NamedTuple

WORKER, BRIDGE, RELAY = "worker", "bridge", "relay"
POSTGRES, KAFKA, ACTIVEMQ = "postgres", "kafka", "activemq"


class Kind(NamedTuple):
    """A kind of fault: what it befalls, how long in a full-length campaign, and what it is."""

    subject: str
    full_s: float
    meaning: str


KINDS: Mapping[str, Kind] = {
    "worker-killed": Kind(WORKER, 0, "kill -9 of a worker, another is started"),
    "bridge-killed": Kind(BRIDGE, 0, "kill -9 of the bridge, another is started"),
    "relay-killed": Kind(RELAY, 0, "kill -9 of the relay, another is started"),
    "worker-frozen": Kind(WORKER, 90, "SIGSTOP of a worker until others have its partitions, then SIGCONT"),
    "bridge-frozen": Kind(BRIDGE, 90, "SIGSTOP of the bridge, then SIGCONT"),
    "workers-rescaled": Kind(WORKER, 60, "1, 4 and 2 workers in turn: a storm of rebalances"),
    "worker-clock": Kind(WORKER, 0, "a worker whose clock is an hour wrong takes another's place"),
    "postgres-stopped": Kind(POSTGRES, 60, "PostgreSQL stopped and started"),
    "postgres-killed": Kind(POSTGRES, 60, "PostgreSQL killed and started"),
    "kafka-stopped": Kind(KAFKA, 60, "Kafka stopped and started"),
    "kafka-killed": Kind(KAFKA, 60, "Kafka killed and started"),
    "broker-stopped": Kind(ACTIVEMQ, 60, "one of two ActiveMQ stopped and started"),
    "broker-killed": Kind(ACTIVEMQ, 60, "one of two ActiveMQ killed and started"),
    "postgres-cut": Kind(POSTGRES, 10, "every connection to PostgreSQL reset, three times"),
    "kafka-cut": Kind(KAFKA, 10, "every connection to Kafka reset, three times"),
    "brokers-cut": Kind(ACTIVEMQ, 10, "every connection to both ActiveMQ reset, three times"),
    "postgres-silent": Kind(POSTGRES, 30, "nothing passes to and from PostgreSQL, and nobody is told"),
    "kafka-silent": Kind(KAFKA, 30, "nothing passes to and from Kafka, and nobody is told"),
    "brokers-silent": Kind(ACTIVEMQ, 30, "nothing passes to and from both ActiveMQ, and nobody is told"),
    "postgres-half-open": Kind(POSTGRES, 60, "connections end for PostgreSQL alone; then clients' kernels give up"),
    "kafka-half-open": Kind(KAFKA, 0, "connections end for Kafka alone; clients must notice"),
    "brokers-half-open": Kind(ACTIVEMQ, 0, "connections end for both ActiveMQ alone; the bridge must notice"),
    "postgres-slow": Kind(POSTGRES, 60, "a tenth of a second later, each way"),
    "kafka-slow": Kind(KAFKA, 60, "a tenth of a second later, each way"),
    "sessions-ended": Kind(POSTGRES, 20, "an administrator ends all sessions, again and again"),
    "tables-locked": Kind(POSTGRES, 30, "somebody locks the tables of windows and of transfers"),
    "lock-timeouts": Kind(POSTGRES, 30, "the same, and nobody waits longer than 100 ms for a lock"),
    "deadlocks": Kind(POSTGRES, 30, "somebody locks tables in the other order, again and again"),
    "postgres-read-only": Kind(POSTGRES, 60, "all transactions are read-only, as after a failover"),
    "postgres-refusing": Kind(POSTGRES, 60, "the database takes no connections"),
    "tables-upgraded": Kind(POSTGRES, 0, "the tables are expanded for a newer release, and one worker is of it"),
    "disk-full": Kind(POSTGRES, 60, "no space is left where PostgreSQL's tables are"),
    "again-new-ids": Kind(ACTIVEMQ, 0, "all that was published is published again"),
    "again-same-ids": Kind(KAFKA, 0, "the group's offsets are lost: all that is in Kafka is read again"),
    "poison-burst": Kind(ACTIVEMQ, 0, "hundreds of messages that nobody can use, at once"),
    "producer-clocks": Kind(ACTIVEMQ, 0, "a burst of messages whose brokers' clocks are up to an hour wrong"),
}

FULL_SCALE = 1.0
_STEPS = (2, 3)
_TWO_AT_ONCE = 0.35
_WAIT_S = (0.5, 2.5)
_MESSAGES = (2500, 4500)


class Fault(NamedTuple):
    """``seed`` decides what its kind leaves open, as which worker."""

    kind: str
    lasts_s: float
    seed: int


class Step(NamedTuple):
    """Faults that begin and end together, some time after the step before."""

    wait_s: float
    faults: tuple[Fault, ...]


class Schedule(NamedTuple):
    """``messages``: how many are published besides those of bursts."""

    seed: int
    messages: int
    steps: tuple[Step, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(fault.kind for step in self.steps for fault in step.faults)

    def without(self, kinds: Collection[str]) -> Schedule:
        """The same without faults of these kinds."""
        left = (
            Step(step.wait_s, tuple(fault for fault in step.faults if fault.kind not in kinds)) for step in self.steps
        )
        return self._replace(steps=tuple(step for step in left if step.faults))

    def __str__(self) -> str:
        told = [
            " + ".join(f"{fault.kind} {fault.lasts_s:.1f} s" if fault.lasts_s else fault.kind for fault in step.faults)
            for step in self.steps
        ]
        return f"seed {self.seed}: {self.messages} messages; {', then '.join(told)}"


def schedule(seed: int, scale: float = FULL_SCALE, kinds: Collection[str] = KINDS) -> Schedule:
    """The same for the same arguments. ``scale`` is the share of their full length that faults last; ``kinds`` are
    those that may happen. Raises ValueError when there is none."""
    if not kinds:
        raise ValueError("a schedule needs at least one kind of fault")
    rng = Random(f"chaos {seed}")
    steps = tuple(_step(rng, scale, sorted(kinds)) for _ in range(rng.randint(*_STEPS)))
    return Schedule(seed, rng.randint(*_MESSAGES), steps)


def _step(rng: Random, scale: float, kinds: list[str]) -> Step:
    chosen = [rng.choice(kinds)]
    others = [kind for kind in kinds if KINDS[kind].subject != KINDS[chosen[0]].subject]
    if others and rng.random() < _TWO_AT_ONCE:
        chosen.append(rng.choice(others))
    faults = tuple(Fault(kind, round(KINDS[kind].full_s * scale, 1), rng.randrange(2**16)) for kind in chosen)
    return Step(round(rng.uniform(*_WAIT_S), 1), faults)
