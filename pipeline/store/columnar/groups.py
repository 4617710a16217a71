"""Rows of blocks added up by what a question groups by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.store.columnar.blocks import COUNTERS, NOT_FINAL, Block, Instants, fits
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
    links = np.concatenate([block.links for _, block in blocks] or [np.empty(0, np.int32)])
    counters = np.concatenate([block.counters for _, block in blocks] or [np.empty((len(COUNTERS), 0), np.int64)], 1)
    final_at, updated_at, stale = (
        np.concatenate([getattr(block, name) for _, block in blocks] or [np.empty(0, np.int64)])
        for name in ("final_at", "updated_at", "stale")
    )
    instants = np.array([start_ms for start_ms, _ in blocks], np.int64)
    block_of = np.repeat(np.arange(len(blocks)), [len(block.links) for _, block in blocks]) if apart else None
    if chosen is not None:
        inside = chosen[links]
        links, final_at, updated_at, stale = links[inside], final_at[inside], updated_at[inside], stale[inside]
        counters = counters[:, inside]
        block_of = None if block_of is None else block_of[inside]
    if not fits(counters):
        raise TooLarge

    group_of_link, example = _link_groups(keys, by)
    group = group_of_link[links].astype(np.int64)
    if block_of is not None:
        group += block_of * len(example)
    number = len(example) * (len(blocks) if block_of is not None else 1)
    there = np.flatnonzero(np.bincount(group, minlength=number))
    place = np.zeros(number, np.int64)
    place[there] = np.arange(len(there))
    group = place[group]

    sums = np.zeros((len(COUNTERS), len(there)), np.int64)
    for total, column in zip(sums, counters, strict=True):
        np.add.at(total, group, column)
    first, last = np.full(len(there), np.iinfo(np.int64).max), np.full(len(there), NOT_FINAL)
    np.minimum.at(first, group, final_at)
    np.maximum.at(last, group, final_at)
    newest = np.full(len(there), NOT_FINAL)
    np.maximum.at(newest, group, updated_at)
    is_stale = np.zeros(len(there), np.bool_)
    is_stale[group[stale.astype(np.bool_)]] = True

    of_link = there % max(len(example), 1)
    return Groups(
        instants[there // max(len(example), 1)] if apart else None,
        {name: keys.codes(name)[example[of_link]] for name in by},
        dict(zip(COUNTERS, sums, strict=True)),
        np.where(first == NOT_FINAL, NOT_FINAL, last),
        newest,
        is_stale,
        _pairs(keys, links, group, len(there)) if pairs else None,
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
