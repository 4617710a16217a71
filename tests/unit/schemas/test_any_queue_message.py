"""Whatever a queue message holds, it becomes samples that Postgres can take, or a dead letter; no error. The order of
links and the shape they come in do not matter."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.stages.decode import decode
from schemas.deadletters import REASONS
from schemas.envelope import RawMessage
from schemas.events import QueueReport
from schemas.rules import Horizon
from schemas.times import MAX_MS
from tests.support.fts_messages import T
from tests.support.queue_messages import link, optimizer, optimizer_fields, status, status_fields


def parse(message: RawMessage) -> QueueReport:
    (report,) = decode([message], Horizon()).reports
    return report


ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT | st.sampled_from(["1", "3%", "11:22:33"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                *[
                    [
                        "vo",
                        "vos",
                        "channel",
                        "channels",
                        "links",
                        "voname",
                        "channel_name",
                        "source_host",
                        "active",
                        "ratio",
                    ]
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


def check(message: RawMessage) -> None:
    decoded = decode([message], Horizon())
    for dead in decoded.dead:
        assert dead.reason in REASONS
        assert 0 < len(dead.detail) < 400
        assert "\0" not in dead.detail
        dead.detail.encode()
    assert len(decoded.dead) + len(decoded.reports) == 1
    for report in decoded.reports:
        check_report(report)


def check_report(report: QueueReport) -> None:
    assert 0 < report.event_ms <= MAX_MS
    assert -(2**63) <= report.dedupe < 2**63
    assert len({sample[:4] for sample in report.samples}) == len(report.samples)
    for sample in report.samples:
        for text in (report.fts, *sample[:4], sample.channel_type):
            assert "\0" not in text
            text.encode()
        assert bool(sample.src_host) == bool(sample.dst_host)
        assert all(count is None or 0 <= count <= 2**53 for count in (sample.active, sample.ready))


@given(st.binary(max_size=200))
@example(b'{"data": {"data": {"time": 1, "fts_id": "x"}}}')
@example(b'{"time": "1e-999999999", "fts_id": "x"}')
@example(b'{"time": ' + b"1" * 5000 + b"}")
def test_any_bytes(body: bytes) -> None:
    check(status(body))
    check(optimizer(body))


@given(st.dictionaries(st.sampled_from([*status_fields(), *optimizer_fields(), "vo", "channels", "data"]), JSON))
@settings(max_examples=400)
def test_any_json_in_any_field(changes: dict[str, Any]) -> None:
    check(status(json.dumps(status_fields(link()) | changes).encode()))
    check(optimizer(json.dumps(optimizer_fields() | changes).encode()))


@given(st.binary(max_size=30), st.integers(min_value=0, max_value=300))
def test_any_bytes_over_those_of_a_good_body(noise: bytes, where: int) -> None:
    body = json.dumps(status_fields(link())).encode()
    check(status(body[:where] + noise + body[where + len(noise) :]))


LINKS = st.builds(
    link,
    st.sampled_from(["a.org", "b.org", ""]),
    st.sampled_from(["c.org", ""]),
    active=st.sampled_from(["", "0", "1", 2]),
    ready=st.sampled_from(["", "0", "1"]),
    ratio=st.sampled_from(["", "1%", "2%"]),
)


@given(st.lists(st.tuples(st.sampled_from(["x", "y"]), st.sampled_from(["A", "B"]), LINKS), max_size=8), st.randoms())
def test_the_order_of_links_and_the_shape_do_not_matter(links: list[Any], rng: Any) -> None:
    def with_repeated_keys(parts: list[Any]) -> str:
        vos = [
            f', "vo": {{"voname": "{vo}", "channel": {{"channel_name": "{channel}", "links": [{json.dumps(each)}]}}}}'
            for vo, channel, each in parts
        ]
        return f'{{"fts_id": "f", "time": {T}{"".join(vos)}}}'

    def with_arrays(parts: list[Any]) -> str:
        vos = [{"voname": vo, "channels": [{"channel_name": channel, "links": [each]}]} for vo, channel, each in parts]
        return json.dumps({"fts_id": "f", "time": T, "vos": vos})

    one_way = parse(status(with_repeated_keys(links).encode()))
    rng.shuffle(links)
    other_way = parse(status(with_arrays(links).encode()))
    assert set(one_way.samples) == set(other_way.samples)
    assert one_way.dedupe == other_way.dedupe
