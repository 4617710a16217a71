"""Whether a new topology says so much less than the one in use that it can only be a broken dump."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.topology.model import Claim, Door, Facts, TopologyError, valid_at

LEAST_SHARE = 0.5
"""Of the hosts, domains and endpoints that hold at the time of a load, each counted alone, so many must be left."""


def refuse_collapse(old: Facts, new: Facts, at_ms: int, where: str) -> None:
    """Raises TopologyError when less than ``LEAST_SHARE`` of what holds at ``at_ms`` would be left."""
    kinds: tuple[tuple[str, Sequence[Claim | Door], Sequence[Claim | Door]], ...] = (
        ("hosts", old.hosts, new.hosts),
        ("domains", old.domains, new.domains),
        ("endpoints", old.doors, new.doors),
    )
    for kind, before, after in kinds:
        had, has = _names(before, at_ms), _names(after, at_ms)
        if has < had * LEAST_SHARE:
            raise TopologyError(
                f"topology {where} can't be used: it has {has} {kind} where the one in use has {had}, less than half: "
                "is a source missing or cut off? --force takes it all the same"
            )


def _names(facts: Sequence[Claim | Door], at_ms: int) -> int:
    return len({(fact.name.lower(), fact.vo if isinstance(fact, Door) else "") for fact in valid_at(facts, at_ms)})
