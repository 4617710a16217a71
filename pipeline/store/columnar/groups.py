"""Rows of blocks added up by what a question groups by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.store.columnar.blocks import COUNTERS, Block, Instants, added, fits, one_after_another
from pipeline.store.columnar.keys import Codes, LinkKeys

Flags = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]


class TooLarge(Exception):
    """A sum may not fit into 64 bits."""


class Groups(NamedTuple):
    """Sums a group. ``starts`` are given where windows are kept apart (ms), ``codes`` for each other column.

    ``final_at`` is NOT_FINAL for a group with a window that is not, ``links`` the number of distinct pairs of hosts.
    """

    starts: Instants | None
    codes: dict[str, Codes]
    counters: dict[str, Counts]
    final_at: Instants
    updated_at: Instants
    stale: Flags
    links: Counts | None


def added_up(
    blocks: Sequence[tuple[int, Block]],
    keys: LinkKeys,
    by: Sequence[str],
    *,
    apart: bool,
    chosen: Flags | None = None,
    pairs: bool = False,
) -> Groups:
    """Sums over blocks, each with its start (ms), by columns of ``keys``; ``apart`` keeps the starts apart.

    ``chosen`` tells by place which links count, None: all. ``pairs`` counts distinct pairs of hosts as well, over all
    starts. Raises TooLarge rather than be wrong.
    """
    rows = one_after_another([block for _, block in blocks])
    block_of = np.repeat(np.arange(len(blocks)), [len(block.links) for _, block in blocks]) if apart else None
    if chosen is not None:
        inside = chosen[rows.links]
        rows = rows.chosen(inside)
        block_of = None if block_of is None else block_of[inside]
    if not fits(rows.counters):
        raise TooLarge

    group_of_link, example = _link_groups(keys, by)
    combined = group_of_link[rows.links].astype(np.int64)
    if block_of is not None:
        combined += block_of * len(example)
    # As np.unique would do, which sorts all rows.
    there = np.flatnonzero(np.bincount(combined))
    place = np.zeros(int(combined.max(initial=-1)) + 1, np.intp)
    place[there] = np.arange(len(there))
    group = place[combined]
    of_link = there % max(len(example), 1)
    found = added(rows, group, example[of_link].astype(np.int32))
    instants = np.array([start_ms for start_ms, _ in blocks], np.int64)
    return Groups(
        instants[there // max(len(example), 1)] if apart else None,
        {name: keys.codes(name)[found.links] for name in by},
        dict(zip(COUNTERS, found.counters, strict=True)),
        found.final_at,
        found.updated_at,
        found.stale,
        _pairs(keys, rows.links, group, len(there)) if pairs else None,
    )


def _link_groups(keys: LinkKeys, by: Sequence[str]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The group of each link by place, and the place of one link of each group."""
    combined = np.zeros(len(keys), np.int64)
    for name in by:
        codes, radix = keys.codes(name)[: len(combined)], len(keys.names[name].known)
        # Numbered anew after each column, so that products of many columns stay small.
        combined = np.unique(combined * radix + codes, return_inverse=True)[1]
    _, example, group = np.unique(combined, return_index=True, return_inverse=True)
    return group, example


def _pairs(keys: LinkKeys, links: Codes, group: npt.NDArray[np.int64], number: int) -> Counts:
    """How many distinct pairs of hosts are in each group."""
    pair, _ = _link_groups(keys, ("src_host", "dst_host"))
    different = np.unique(group * (int(pair.max(initial=0)) + 1) + pair[links])
    return np.bincount(different // (int(pair.max(initial=0)) + 1), minlength=number)
