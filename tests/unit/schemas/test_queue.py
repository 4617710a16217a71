"""Queue status in all its shapes and optimizer messages: every link counts, nothing is guessed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.deadletters import Malformed
from schemas.envelope import RawMessage
from schemas.events import QueueReport, QueueSample
from schemas.queue import parse_optimizer, parse_queue_status
from schemas.rules import Horizon
from schemas.topics import FTS_OPTIMIZER
from tests.support.fts_messages import DAY, HOUR, SECOND, T
from tests.support.queue_messages import DATA, link, optimizer, optimizer_fields, status, status_fields

HOSTS_OF_DESY = ("ennis", "dublin", "cork", "galway")
CERN = "lxbra1910.cern.ch"
CERN_CERN = [(CERN, "lxbra2502.cern.ch"), ("lxbra2502.cern.ch", "lxbra2502.cern.ch"), (CERN, CERN)]


def read(message: RawMessage) -> QueueReport:
    parse = parse_optimizer if message.kind == FTS_OPTIMIZER else parse_queue_status
    return parse(message, Horizon())


def reason(message: RawMessage) -> str:
    with pytest.raises(Malformed) as refused:
        read(message)
    assert 0 < len(refused.value.detail) < 300
    return refused.value.reason


def samples(body: str | bytes | dict[str, Any]) -> list[QueueSample]:
    return read(status(body.encode() if isinstance(body, str) else body)).samples


def one(**changes: Any) -> QueueSample:
    (sample,) = samples(status_fields(link(**changes)))
    return sample


@pytest.mark.parametrize("frame", [b"%s", b"%s\x04", b" %s ", b"%s\0"])
def test_the_real_one_of_2011_loses_no_channel_to_its_repeated_key(frame: bytes) -> None:
    report = read(status(frame % (DATA / "queue_status_2011-11-24.json").read_bytes(), None))
    assert (report.fts, report.source) == ("vtb-generic-32.cern.ch", "vtb-generic-32.cern.ch")
    assert report.event_ms == report.received_ms == 1_322_142_312_000
    desy = [f"{name}.desy.de" for name in HOSTS_OF_DESY]
    assert {sample[:4] for sample in report.samples} == {
        *(("dteam", "CERN-CERN", *pair) for pair in CERN_CERN),
        *(("dteam", "CERN-DESY", CERN, host) for host in desy),
        *(("dteam", "DESY-CERN", host, CERN) for host in desy),
        *(("dteam", "DESY-DESY", host, host) for host in desy),
    }
    assert {sample[4:] for sample in report.samples} == {(0, 0, 0.0, "")}
    assert len(report.samples) == 15


def test_the_proposed_one_with_arrays() -> None:
    report = read(status((DATA / "queue_status_proposed.json").read_bytes(), None))
    desy = ("dublin.desy.de", "cork.desy.de", "ennis.desy.de", "galway.desy.de")
    assert [sample[:4] for sample in report.samples] == [
        *(("dteam", "CERN-CERN", *pair) for pair in CERN_CERN),
        *(("dteam", "DESY-CERN", host, CERN) for host in desy),
        *(("some_other_vo", "CERN-CERN", *pair) for pair in CERN_CERN),
    ]
    assert {sample[4:] for sample in report.samples} == {(0, 0, 0.0, "")}


def test_the_draft_has_comments_and_is_not_json() -> None:
    assert reason(status((DATA / "draft_queue_2011.json").read_bytes())) == "not_json"


def test_the_draft_without_comments_has_channels_at_the_top_and_a_time_of_day() -> None:
    body = (DATA / "draft_without_comments_constructed.json").read_bytes()
    report = read(status(body, 1_308_135_700_000))
    assert report.event_ms == 1_308_135_696_120  # 2011-06-15T11:01:36.12Z
    assert report.samples == [
        QueueSample("unknown", "CERN-CERN", "", "", 512, 0, None, ""),
        QueueSample("unknown", "CERN-DESY", CERN, "ennis.desy.de", 24, 0, None, ""),
        QueueSample("unknown", "CERN-DESY", CERN, "cork.desy.de", 47, 0, None, ""),
        QueueSample("unknown", "CERN-DESY", CERN, "galway.desy.de", 6, 0, None, ""),
    ]


def test_several_vos_by_a_repeated_key() -> None:
    report = read(status((DATA / "several_vos_constructed.json").read_bytes(), None))
    atlas, eos, desy = "srm-atlas.cern.ch", "srm-eosatlas.cern.ch", "dcache-se-atlas.desy.de"
    assert report.samples == [
        QueueSample("atlas", "CERN-CERN", "", "", 512, 7, 102.4, "urlcopy"),
        QueueSample("atlas", "CERN-CERN", atlas, eos, 24, 5, 4.8, "urlcopy"),
        QueueSample("atlas", "CERN-DESY", atlas, desy, None, None, None, ""),
        QueueSample("cms", "CERN-DESY", "srm-cms.cern.ch", "dcache-se-cms.desy.de", 3, 0, None, ""),
        QueueSample("cms", "CERN-DESY", atlas, desy, 24, None, None, ""),
    ]


def test_an_empty_one_is_a_report_without_samples() -> None:
    report = read(status((DATA / "empty_constructed.json").read_bytes(), None))
    assert (report.fts, report.event_ms, report.samples) == ("fts22-t0-export.cern.ch", 1_333_109_400_000, [])
    assert samples(f'{{"fts_id": "f", "time": {T}, "vo": {{"voname": "cms"}}}}') == []
    assert samples(status_fields()) == []
    assert samples(status_fields(vos=None, channels="")) == []


def test_an_optimizer_message_is_one_sample_of_no_vo_and_no_channel() -> None:
    report = read(optimizer((DATA / "optimizer_constructed.json").read_bytes(), None))
    assert (report.fts, report.event_ms) == ("fts3-atlas.cern.ch", 1_722_470_400_123)
    assert report.samples == [QueueSample("", "", "eosatlas.cern.ch", "dcache-atlas-webdav.desy.de", 18, 140, None, "")]


SHAPES = [
    '"vo": {V, "channel": {C, "links": [L1]}, "channel": {D, "links": [L2]}}',
    '"vo": {V, "channel": {C, "links": [L1]}}, "vo": {V, "channel": {D, "links": [L2]}}',
    '"vo": [{V, "channel": {C, "links": [L1]}}, {V, "channel": {D, "links": [L2]}}]',
    '"vo": {V, "channel": [{C, "links": [L1]}, {D, "links": [L2]}]}',
    '"vos": [{V, "channels": [{C, "links": [L1]}, {D, "links": [L2]}]}]',
    '"vos": {V, "channels": [{C, "links": L1}], "channels": {D, "links": [L2]}}',
    '"vos": [{V, "channel": {C, "links": [L1]}}], "vo": {V, "channels": {D, "links": [], "links": [L2]}}',
]


@pytest.mark.parametrize("shape", SHAPES)
def test_objects_lists_and_repeated_keys_say_the_same(shape: str) -> None:
    for short, text in {
        "V,": '"voname": "atlas",',
        "C,": '"channel_name": "A-B", "channel_type": "",',
        "D,": '"channel_name": "C-D", "channel_type": "urlcopy",',
        "L1": json.dumps(link()),
        "L2": json.dumps(link("c.org", "d.org")),
    }.items():
        shape = shape.replace(short, text)
    assert samples(f'{{"fts_id": "fts.example.org", "time": {T}, {shape}, "more": [1]}}') == [
        QueueSample("atlas", "A-B", "a.x.org", "b.y.org", 2, 3, 4.0, ""),
        QueueSample("atlas", "C-D", "c.org", "d.org", 2, 3, 4.0, "urlcopy"),
    ]


def test_of_another_repeated_key_the_last_counts() -> None:
    body = json.dumps(status_fields(link())).replace('"fts_id"', '"fts_id": "other.org", "time": 1, "fts_id"')
    report = read(status(body.encode()))
    assert (report.fts, report.event_ms) == ("fts.example.org", T)


@pytest.mark.parametrize(
    ("sent", "host"),
    [
        ("SE.X.Org.", "se.x.org"),
        ("se.x.org:8446", "se.x.org"),
        ("[2001:db8::1]:1094", "2001:db8::1"),
        ("", "unknown"),
        (None, "unknown"),
        ("invalid hostname", "unknown"),
        (["x"], "unknown"),
    ],
)
def test_hosts_are_compared_as_those_of_transfers(sent: Any, host: str) -> None:
    assert one(source_host=sent).src_host == host
    assert one(dest_host=sent).dst_host == host


def test_only_two_empty_hosts_are_the_total_of_a_channel() -> None:
    assert one(source_host=" ", dest_host=None)[2:4] == ("", "")
    assert one(source_host="invalid hostname", dest_host="invalid hostname")[2:4] == ("unknown", "unknown")
    assert one(source_host=[], dest_host={})[2:4] == ("unknown", "unknown")


@pytest.mark.parametrize(
    ("sent", "count"),
    [("12", 12), (" 12 ", 12), (12, 12), (12.0, 12), ("12.000", 12), (0, 0), ("", None), (" ", None), (None, None)],
)
def test_a_count_that_is_empty_is_unknown_and_not_zero(sent: Any, count: int | None) -> None:
    assert one(active=sent).active == count
    assert one(ready=sent).ready == count
    (sample,) = read(optimizer(optimizer_fields(active_count=sent, submitted_count=sent))).samples
    assert (sample.active, sample.ready) == (count, count)


@pytest.mark.parametrize("sent", ["many", -1, "-1", 1.5, True, [], {}, "1e30", 2**53 + 1, "NaN", "0x1"])
def test_a_count_that_is_none_is_a_dead_letter(sent: Any) -> None:
    assert reason(status(status_fields(link(active=sent)))) == "bad_count"
    assert reason(status(status_fields(link(), link(ready=sent)))) == "bad_count"
    assert reason(optimizer(optimizer_fields(active_count=sent))) == "bad_count"
    assert reason(optimizer(optimizer_fields(submitted_count=sent))) == "bad_count"


@pytest.mark.parametrize(
    ("sent", "ratio"),
    [
        *[("4.800000%", 4.8), ("104.2 %", 104.2), (" 0% ", 0.0), ("7", 7.0), (7, 7.0), (4.5, 4.5), ([], None)],
        *[(text, None) for text in ("inf%", "-nan%", "nan", "", "%", "-1%", "much", "1e999%")],
    ],
)
def test_a_ratio_is_per_cent_or_unknown(sent: Any, ratio: float | None) -> None:
    assert one(ratio=sent).ratio == ratio


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"active": 5, "ready": 0}, {"active": 4, "ready": 9}),
        ({"active": 5, "ready": 1}, {"active": 5, "ready": 0}),
        ({"active": 0}, {"active": None, "ready": 99}),
        ({"ready": 0}, {"ready": ""}),
        ({"ratio": "2%"}, {"ratio": "1%"}),
        ({"ratio": "0%"}, {"ratio": "inf%"}),
    ],
)
def test_of_the_same_link_twice_the_larger_counts(first: dict[str, Any], second: dict[str, Any]) -> None:
    (alone,) = samples(status_fields(link(**first)))
    assert samples(status_fields(link(**first), link(**second))) == [alone]
    assert samples(status_fields(link(**second), link("A.X.ORG:1", **first))) == [alone]


@pytest.mark.parametrize(
    ("clock", "received", "at"),
    [
        ("02:00:00", T, T),
        ("1:59:59.5", T, T - SECOND // 2),
        ("13:59:59.999999", T, T + 12 * HOUR - 1),
        ("14:00:00.000", T, T + 12 * HOUR),
        ("14:00:00.001", T, T - 12 * HOUR + 1),
        ("23:59:59", T - 2 * HOUR, T - 2 * HOUR - SECOND),
        ("00:00:01", T - 2 * HOUR, T - 2 * HOUR + SECOND),
    ],
)
def test_a_time_of_day_is_of_the_day_of_receipt_or_the_one_before(clock: str, received: int, at: int) -> None:
    assert read(status(status_fields(link(), time=clock), received)).event_ms == at


@pytest.mark.parametrize("sent", [T, str(T), T / 1000, f"{T // 1000}", T * 1000, "2026-11-22T02:00:00Z"])
def test_a_time_is_that_of_any_message(sent: Any) -> None:
    assert read(status(status_fields(link(), time=sent))).event_ms == T
    assert read(optimizer(optimizer_fields(timestamp=sent))).event_ms == T


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b" \x04", "empty"),
        (b'{"fts_id": ', "not_json"),
        (b'{"fts_id": NaN}', "not_json"),
        (b"[" * 100_000, "too_deep"),
        (b"[1]", "not_object"),
        (b'"text"', "not_object"),
        (status_fields(link(), time=None), "no_time"),
        (status_fields(link(), time="0.000000"), "no_time"),
        (status_fields(link(), time="noon"), "bad_time"),
        (status_fields(link(), time="25:00:00"), "bad_time"),
        (status_fields(link(), time=[T]), "bad_time"),
        (status_fields(link(), time=-1), "bad_time"),
        (status_fields(link(), time=T + 26 * HOUR), "future"),
        (status_fields(link(), time=T - 31 * DAY), "too_old"),
        ({"time": T}, "no_id"),
        ({"time": T, "fts_id": " ", "vos": [], "channels": None}, "no_id"),
        (status_fields(vos="atlas"), "bad_shape"),
        (status_fields(vos=[1]), "bad_shape"),
        (status_fields(vos=[[{"voname": "x"}]]), "bad_shape"),
        (status_fields(vos={"channels": True}), "bad_shape"),
        (status_fields(channels={"links": 0}), "bad_shape"),
        (status_fields(channels={"links": [[{}]]}), "bad_shape"),
    ],
)
def test_what_cannot_be_used_says_why(body: bytes | dict[str, Any], why: str) -> None:
    assert reason(status(body)) == why


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "empty"),
        (b"{]", "not_json"),
        (b"1", "not_object"),
        ({"timestamp": T, "endpnt": "fts3.example.org"}, "no_id"),
        (optimizer_fields(timestamp=0), "no_time"),
        (optimizer_fields(timestamp="now"), "bad_time"),
        (optimizer_fields(timestamp=T + 26 * HOUR), "future"),
        (optimizer_fields(timestamp=T - 31 * DAY), "too_old"),
    ],
)
def test_what_cannot_be_used_of_the_optimizer_says_why(body: bytes | dict[str, Any], why: str) -> None:
    assert reason(optimizer(body)) == why


def test_a_time_of_day_without_receipt_is_unreadable() -> None:
    assert reason(status(status_fields(link(), time="11:01:36.12"), None)) == "bad_time"
    assert reason(status(status_fields(link(), time="23:01:36.12"), HOUR)) == "bad_time"


def test_a_sample_without_its_instance_is_heard_from_its_topic() -> None:
    report = read(status(status_fields(link(), fts_id="")))
    assert (report.fts, report.source) == ("", "transfer.fts_monitoring_queue_status")
    assert read(optimizer(optimizer_fields(endpnt=None))).source == "transfer.fts_monitoring_queue_state"


def test_a_message_is_the_same_when_it_tells_of_the_same_links_at_the_same_time() -> None:
    both = read(status(status_fields(link(), link("c.org"))))
    swapped = read(status(status_fields(link("c.org", active=9), link(ratio=""), link()), received_ms=T + 1))
    assert (swapped.event_ms, swapped.dedupe) == (both.event_ms, both.dedupe)
    others = [
        read(status(fields)).dedupe
        for fields in (
            status_fields(link()),
            status_fields(),
            status_fields(link(), link("d.org")),
            status_fields(link(), link("c.org"), vo="cms"),
            status_fields(link(), link("c.org"), channel="B-A"),
            status_fields(link(), link("c.org"), fts_id="other.org"),
        )
    ]
    assert len({both.dedupe, *others}) == 7


def test_monits_envelope_is_taken_off() -> None:
    inner = status_fields(link())
    assert samples({"data": inner, "metadata": {"topic": "x"}}) == samples(inner)


def test_text_is_what_postgres_takes() -> None:
    body = json.dumps(status_fields(link("\ud800\0"), vo="a\0b", channel="\udfff")).encode()
    (sample,) = samples(body)
    assert sample[:4] == ("a\ufffdb", "\ufffd", "\ufffd\ufffd", "b.y.org")
    broken = json.dumps(status_fields(link(), vo="VO")).encode().replace(b"VO", b"\xff\xfe")
    assert samples(broken)[0].vo == "\ufffd\ufffd"
