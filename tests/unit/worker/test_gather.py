"""When a batch is closed: by its number, by its bytes, by its age."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from consumers.kafka.gather import Limits, gather


class Stream:
    """Bodies that come at their times; whoever waits for one lets the time pass."""

    def __init__(self, *comes: tuple[float, bytes]) -> None:
        self.comes = sorted(comes, key=lambda each: each[0])
        self.now = 100.0
        self.polls = 0

    def poll(self, most: int, wait_s: float) -> list[bytes]:
        self.polls += 1
        until = self.now + wait_s
        if self.comes and self.comes[0][0] <= until:
            self.now = max(self.now, self.comes[0][0])
            there = [body for at, body in self.comes if at <= self.now][:most]
        else:
            self.now, there = until, []
        self.comes = self.comes[len(there) :]
        return there

    def gather(self, limits: Limits, wait_s: float = 1.0) -> list[bytes]:
        return gather(self.poll, limits, wait_s, lambda: self.now)


WIDE = Limits(1000, 1000, 0.5)


def test_nothing_comes_back_when_nothing_comes() -> None:
    stream = Stream((102, b"late"))
    assert stream.gather(WIDE) == []
    assert stream.now == 101


def test_what_comes_within_the_linger_of_the_first_is_one_batch() -> None:
    stream = Stream((100.9, b"a"), (101.0, b"b"), (101.3, b"c"), (101.5, b"d"))
    assert stream.gather(WIDE) == [b"a", b"b", b"c"]
    assert stream.now <= 101.4 + 1e-9
    assert stream.gather(WIDE) == [b"d"]


def test_a_full_batch_does_not_linger() -> None:
    stream = Stream(*[(100, b"%d" % number) for number in range(25)])
    assert stream.gather(Limits(10, 1000, 0.5)) == [b"%d" % number for number in range(10)]
    assert (stream.now, stream.polls) == (100, 1)


def test_a_batch_of_large_bodies_is_closed_by_its_bytes() -> None:
    stream = Stream(*[(100 + number / 100, b"x" * 400) for number in range(10)])
    assert len(stream.gather(WIDE)) == 3
    assert len(stream.comes) == 7


@given(
    st.lists(st.tuples(st.floats(100, 103), st.integers(0, 50)), max_size=30),
    st.integers(1, 12),
    st.integers(1, 200),
    st.floats(0, 1),
)
def test_every_body_comes_once_in_order_and_within_the_limits(
    comes: list[tuple[float, int]], most: int, most_bytes: int, linger_s: float
) -> None:
    stream = Stream(*[(at, b"%d." % number + b"x" * size) for number, (at, size) in enumerate(comes)])
    expected = [body for _, body in stream.comes]
    found: list[bytes] = []
    while stream.comes:
        began = stream.now
        batch = stream.gather(Limits(most, most_bytes, linger_s), wait_s=5)
        assert 0 < len(batch) <= most
        assert stream.now - began <= 5 + linger_s + 1e-6
        found += batch
    assert found == expected
