"""The tables of schemas/README.md say what the code does."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas import fts, queue, topics
from schemas.deadletters import REASONS
from schemas.events import STAGES, Complete, QueueReport, QueueSample, Start
from schemas.histogram import bin_of, lower_edge
from schemas.queue import parse_optimizer, parse_queue_status
from schemas.rules import Horizon
from tests.support.fts_messages import SECOND, T, complete, start
from tests.support.queue_messages import link, optimizer, optimizer_fields, status, status_fields

README = (Path(__file__).parents[3] / "schemas" / "README.md").read_text(encoding="utf-8")
IDS = {"job_id", "file_id", "transfer_id", "tr_id"}


def table(heading: str, place: int = 0) -> list[list[str]]:
    """The cells of the first table below a heading, or of a later one, without its head."""
    section = README.split(f"{heading}\n", 1)[1].split("\n#", 1)[0]
    found = [block for block in section.split("\n\n") if block.lstrip().startswith("|")][place]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in found.strip().splitlines()[2:]]


def words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


BOTH = {words(row[0])[0]: row for row in table("### In both")}
START_ONLY = {words(row[0])[0]: row for row in table("### Start only")}
COMPLETE_ONLY = {words(row[0])[0]: row for row in table("### Complete only")}
OF_START, OF_COMPLETE = BOTH | START_ONLY, BOTH | COMPLETE_ONLY


def read_fields(wire: type[msgspec.Struct]) -> set[str]:
    """What a message is asked for; ``data`` is MONIT's envelope."""
    return set(wire.__struct_fields__) - {"data"}


def test_the_tables_name_every_field_that_is_read_and_no_other() -> None:
    assert set(OF_START) == read_fields(fts._StartWire)
    assert set(OF_COMPLETE) == read_fields(fts._CompleteWire)


def test_a_row_has_the_field_both_eras_its_values_and_what_we_call_it() -> None:
    for row in [*OF_START.values(), *COMPLETE_ONLY.values()]:
        assert len(row) == 5, row
        assert all(re.match(r"[SNO–]", era) for era in row[1:3]), row


def changed_by(field: str, event: Any, other: Any) -> set[str]:
    names = type(event).__struct_fields__
    changed = {name for name in names if getattr(event, name) != getattr(other, name)}
    for end in ("src", "dst"):
        if end in changed:
            changed.remove(end)
            one, two = getattr(event, end), getattr(other, end)
            changed |= {f"{end}.{part}" for part in one.__struct_fields__ if getattr(one, part) != getattr(two, part)}
    # A hash over what the row names; an event time follows any time when its own is absent.
    return changed - {"dedupe"}


VALUES: dict[str, Any] = {
    "file_metadata": {"activity": "x", "src_rse": "y", "dst_rse": "z"},
    "t_final_transfer_state": "Error",
    "file_id": 8,
    "tr_timestamp_start": 0,
    "timestamp": T + 5,
}
# Some fields are read only where another is absent.
WITHOUT: dict[str, dict[str, Any]] = {
    "transfer_id": {"job_id": "", "file_id": ""},
    "tr_id": {"job_id": "", "file_id": ""},
    "src_url": {"src_hostname": ""},
    "dst_url": {"dst_hostname": ""},
    "f_size": {"file_size": None},
}


def value_of(field: str, row: list[str]) -> Any:
    if field in VALUES:
        return VALUES[field]
    if field in IDS:
        return "2027-01-01-0000__a__b__9__another"
    if "time" in field:
        return T + 7 * SECOND
    return 3 if row[2].startswith("N") and not row[2].startswith("N (") else "davs://other.example.org/x"


@pytest.mark.parametrize("field", OF_START)
def test_a_field_of_a_start_becomes_what_its_row_says(field: str) -> None:
    row, base = OF_START[field], WITHOUT.get(field, {})
    changes: dict[str, Any] = {**base, field: value_of(field, row)}
    assert changed_by(field, start(**base), start(**changes)) == set(words(row[4])) - {"unknown"}


# Both ends of a stage are needed before either shows.
STAGE_TIMES = {
    name: T for name in COMPLETE_ONLY if name.startswith(("timestamp_chk", "timestamp_checksum", "time_srm"))
}


@pytest.mark.parametrize("field", OF_COMPLETE)
def test_a_field_of_a_complete_becomes_what_its_row_says(field: str) -> None:
    row = OF_COMPLETE[field]
    base: dict[str, Any] = {**STAGE_TIMES, **WITHOUT.get(field, {})}
    if field == "timestamp_tr_comp":
        base["timestamp_tr_st"] = T
    changes: dict[str, Any] = {**base, field: value_of(field, row)}
    changed = changed_by(field, complete(**base), complete(**changes))
    said = set(words(row[4])) - {"unknown"}
    if field in ("timestamp_tr_st", "timestamp_tr_comp"):
        nothing = complete(**{**base, field: 0})
        changed |= changed_by(field, complete(**base), nothing) & {"interval"}
    assert changed == said


def test_the_registries_are_shown_whole() -> None:
    assert [(words(row[0])[0], row[1]) for row in table("## Dead letters")] == list(REASONS.items())
    assert [tuple(words(" ".join(row))) for row in table("## Topics")] == [
        (topic, kind, topics.KINDS[kind]) for topic, kind in topics.BROKER_TOPICS.items()
    ]
    kafka = README.split("| Kafka topic | keyed by", 1)[1].split("\n\n", 1)[0]
    for topic in topics.TOPICS:
        assert f"| `{topic.name}` | {topic.keyed_by} | {topic.retention_days} | {topic.holds} |" in kafka
    assert len(kafka.splitlines()) == 2 + len(topics.TOPICS)
    assert f"Bodies up to {topics.MAX_BODY_BYTES // 2**20} MiB" in README


def test_stages_and_scale_are_as_told() -> None:
    told = README.split("`durations` are, in the order of `STAGES`,", 1)[1].split(". ", 1)[0]
    assert tuple(words(told)) == STAGES
    assert "`bin_of(1000)` = 63, and bin 63 is\n[960, 1024)" in README
    assert (bin_of(1000), lower_edge(63), lower_edge(64)) == (63, 960, 1024)
    assert "488 bins" in README
    assert bin_of(2**63 - 1) == 487


def test_every_module_is_in_the_list() -> None:
    folder = Path(fts.__file__).parent
    listed = {name for row in table("# schemas: what is said") for name in words(row[0])}
    assert listed == {path.name for path in folder.glob("*.*") if path.suffix in (".py", ".json")} - {"__init__.py"}


def test_every_field_of_ours_that_comes_from_the_wire_is_in_a_row() -> None:
    ours = {name.partition(".")[0] for row in OF_START.values() for name in words(row[4])} - {"unknown"}
    assert set(Start.__struct_fields__) - ours == {"received_ms", "ref", "dedupe"}
    ours |= {name.partition(".")[0] for row in COMPLETE_ONLY.values() for name in words(row[4])}
    assert set(Complete.__struct_fields__) - ours == {"received_ms", "ref", "dedupe", "technology", "direction"}


OF_QUEUES = [(words(row[0])[0], row[1], words(row[3])) for row in table("## Queue status", 1)]
SHARED = {"time": "event_ms", "timestamp": "event_ms"}


@pytest.mark.parametrize(("field", "shape", "ours"), OF_QUEUES)
def test_a_field_of_a_queue_message_becomes_what_its_row_says(field: str, shape: str, ours: list[str]) -> None:
    def read(**changes: Any) -> QueueReport:
        if shape == "optimizer":
            return parse_optimizer(optimizer(optimizer_fields(**changes)), Horizon())
        vo, name = changes.pop("voname", "atlas"), changes.pop("channel_name", "A-B")
        channel = {"channel_name": name, "channel_type": changes.pop("channel_type", "")}
        top = {name: changes.pop(name) for name in ("fts_id", "time") if name in changes}
        vos = [{"voname": vo, "channels": [{**channel, "links": [link(**changes)]}]}]
        return parse_queue_status(status(status_fields(vos=vos, **top)), Horizon())

    number = field in ("active", "ready", "ratio", "active_count", "submitted_count")
    value = T + 7 * SECOND if field in SHARED else 77 if number else "https://other.example.org:1/x"
    if field in ("source_host", "dest_host"):
        value = "other.example.org"
    one, two = read(), read(**{field: value})
    changed = {name for name in ("fts", "source", "event_ms") if getattr(one, name) != getattr(two, name)}
    (before,), (after,) = one.samples, two.samples
    changed |= {name for name in QueueSample._fields if getattr(before, name) != getattr(after, name)}
    assert changed == set(ours) - {"unknown"}


def test_every_field_of_a_queue_message_that_is_read_is_in_a_row() -> None:
    parser = inspect.getsource(queue)
    read = set(re.findall(r"""\.last\("(\w+)"\)|_count\(\w+, "(\w+)"\)""", parser))
    assert {first or second for first, second in read} == {field for field, *_ in OF_QUEUES}
