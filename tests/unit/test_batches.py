"""Batches are bounded in number and in bytes and lose nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.batches import batches


@given(st.lists(st.integers(0, 50)), st.integers(1, 7), st.integers(1, 100))
def test_all_items_come_in_order_in_bounded_batches(sizes: list[int], most: int, most_bytes: int) -> None:
    found = list(batches(sizes, lambda size: size, most, most_bytes))
    assert [size for batch in found for size in batch] == sizes
    for batch in found:
        assert 1 <= len(batch) <= most
        assert sum(batch[:-1]) < most_bytes
