"""How much of what the simulated traffic holds: shares between 0 and 1."""

from __future__ import annotations

from dataclasses import dataclass, fields

POISONS: tuple[str, ...] = (
    "empty",
    "not_json",
    "too_deep",
    "not_object",
    "no_id",
    "unknown_state",
    "no_time",
    "bad_time",
    "future",
    "too_old",
    "bad_bytes",
)
"""The reasons for which a poison start or complete ends as a dead letter."""


@dataclass(frozen=True)
class Mix:
    """Shares of the transfers that are told in another era's style, and of the messages that something happens to.

    ``late``: received 1 to 8 hours after the event. ``displaced``: published up to 10 minutes before or after its
    turn. ``poison``: messages that cannot be used, beside the good ones; those of transfers for reasons picked from
    ``poisons``, those of other families for any of theirs. ``states``: files of FTS3 whose states are told.
    ``queues``, ``records``: stories that are reports on queues or records of xrootd instead of files that FTS moves.
    ``links`` is no share: the world has at least so many links, between made-up hosts where the real ones are too few.
    Raises ValueError when a share is not between 0 and 1, ``links`` is negative or a poison is not known.
    """

    fts2: float = 0.01
    monit: float = 0.01
    duplicate: float = 0.01
    late: float = 0.005
    displaced: float = 0.05
    missing_start: float = 0.01
    missing_complete: float = 0.01
    poison: float = 0.003
    poisons: tuple[str, ...] = POISONS
    states: float = 0
    queues: float = 0
    records: float = 0
    links: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            share = getattr(self, field.name)
            if field.name not in ("poisons", "links") and not 0 <= share <= 1:
                raise ValueError(f"the share of {field.name} is {share}: it must be between 0 and 1")
        if self.links < 0:
            raise ValueError(f"links is {self.links}: it must not be negative")
        if self.fts2 + self.monit > 1:
            raise ValueError("the shares of fts2 and monit together must not be more than 1")
        if self.queues + self.records > 1:
            raise ValueError("the shares of queues and records together must not be more than 1")
        if self.missing_start == self.missing_complete == 1:
            raise ValueError("missing_start and missing_complete cannot both be 1: no message would be left")
        unknown = sorted(set(self.poisons) - set(POISONS))
        if unknown or not self.poisons:
            raise ValueError(f"poisons must be some of {', '.join(POISONS)}, not {', '.join(unknown) or 'none'}")


CLEAN = Mix(fts2=0, monit=0, duplicate=0, late=0, displaced=0, missing_start=0, missing_complete=0, poison=0)
"""Every message once, in order, in FTS3's style."""

ALL = Mix(poison=0.005, states=0.06, queues=0.05, records=0.2)
"""All families of messages: four fifths starts and completes, the rest states, queues and records of xrootd."""
