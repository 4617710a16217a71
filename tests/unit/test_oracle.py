"""The oracle against small cases worked out by hand: pairs, windows, duplicates, rows."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.oracle import DeadLetter, Expected, expect
from tests.support.oracle_messages import COMPLETE_TOPIC, START_TOPIC
from tests.support.oracle_windows import ChannelKey, LinkKey, bin_of

T = 1_795_312_800_000  # 2026-11-22T02:00:00Z: the start of an hour
MINUTE = 60_000
WINDOW = 10 * MINUTE
SAMPLES = Path(__file__).parents[1] / "data" / "fts"

Line = dict[str, Any]


def start(at: int, **changes: Any) -> Line:
    body = {
        "transfer_id": "2026-11-22-0200__a.x.org__b.y.org__7__job-1",
        "job_id": "job-1",
        "file_id": 7,
        "endpnt": "fts3.cern.ch",
        "timestamp": at,
        "vo": "atlas",
        "src_hostname": "a.x.org",
        "dst_hostname": "b.y.org",
        "t_channel": "a.x.org__b.y.org",
    }
    return line(START_TOPIC, body | changes)


def complete(begin: Any, end: Any, **changes: Any) -> Line:
    body = {
        "tr_id": "2026-11-22-0203__a.x.org__b.y.org__7__job-1",
        "job_id": "job-1",
        "file_id": 7,
        "endpnt": "fts3.cern.ch",
        "vo": "atlas",
        "src_hostname": "a.x.org",
        "dst_hostname": "b.y.org",
        "t_channel": "a.x.org__b.y.org",
        "tr_timestamp_start": begin,
        "tr_timestamp_complete": end,
        "t_final_transfer_state": "Ok",
        "tr_bt_transfered": 1000,
    }
    return line(COMPLETE_TOPIC, body | changes)


def line(topic: str, body: Any, received: int | None = T + 3 * 3_600_000) -> Line:
    text = body if isinstance(body, str) else json.dumps(body)
    return {"topic": topic, "body": text, "headers": {}} | ({} if received is None else {"received": received})


def site_of(host: str, at_ms: int) -> tuple[str, str]:
    return {"a.x.org": ("X", "FR"), "b.y.org": ("Y", "DE" if at_ms < T else "AT")}.get(host, ("unknown", "unknown"))


@pytest.fixture
def recount(tmp_path: Path) -> Any:
    def run(*lines: Line) -> Expected:
        path = tmp_path / "messages.jsonl"
        path.write_text("".join(json.dumps(each) + "\n" for each in lines))
        return expect(path, site_of)

    return run


def only(mapping: dict[Any, Any]) -> Any:
    assert len(mapping) == 1
    return next(iter(mapping.values()))


def link(window: int, dst_country: str = "AT") -> LinkKey:
    return LinkKey(
        window, "fts", "fts3.cern.ch", "atlas", "a.x.org__b.y.org", "a.x.org", "b.y.org", "X", "Y", "FR", dst_country
    )


def paired_starts(expected: Expected) -> dict[int, int | None]:
    """Event time of each complete -> timestamp of its start, both in minutes after T."""
    return {
        (row["ended_at"] - T) // MINUTE: None
        if row["start_message_at"] is None
        else (row["start_message_at"] - T) // MINUTE
        for row in expected.transfers.values()
    }


def test_a_start_and_a_complete_with_different_minutes_in_their_ids_are_one_transfer(recount: Any) -> None:
    expected = recount(start(T + 100), complete(T, T + 4 * MINUTE))
    row = only(expected.transfers)
    assert row["start_transfer_id"] == "2026-11-22-0200__a.x.org__b.y.org__7__job-1"
    assert row["transfer_id"] == "2026-11-22-0203__a.x.org__b.y.org__7__job-1"
    assert (row["start_message_at"], row["started_at"], row["ended_at"]) == (T + 100, T, T + 240_000)
    assert (row["state"], row["bytes"], row["total_ms"]) == ("ok", 1000, 240_000)
    assert (row["src_site"], row["dst_country"]) == ("X", "AT")
    assert expected.in_flight == {}
    assert (expected.received, expected.stored, expected.duplicate, expected.dead) == (2, 2, 0, 0)


def test_the_order_of_the_lines_changes_nothing_but_the_references(recount: Any) -> None:
    lines = [start(T), complete(T, T + MINUTE), start(T + 5 * MINUTE), complete(T + 5 * MINUTE, T + 6 * MINUTE)]
    forth, back = recount(*lines), recount(*reversed(lines))
    assert paired_starts(forth) == paired_starts(back) == {1: 0, 6: 5}
    assert forth.links == back.links
    assert forth.channels == back.channels


def test_retries_pair_by_the_smallest_distance_first(recount: Any) -> None:
    # Distances in s: start 0 to complete of 50 s is 50, start 55 to it is 5, start 55 to complete of 100 s is 45.
    expected = recount(
        start(T),
        start(T + 55_000),
        complete(T + 50_000, T + 3 * MINUTE),
        complete(T + 100_000, T + 4 * MINUTE),
    )
    by_end = {row["ended_at"] - T: row["start_message_at"] for row in expected.transfers.values()}
    assert by_end == {3 * MINUTE: T + 55_000, 4 * MINUTE: None}
    assert [row["started_at"] for row in expected.in_flight.values()] == [T]


def test_a_complete_left_over_takes_the_latest_start_that_is_not_after_it(recount: Any) -> None:
    expected = recount(
        start(T),
        start(T + 2 * MINUTE),
        start(T + 4 * MINUTE),
        complete(None, T + 3 * MINUTE),
    )
    assert paired_starts(expected) == {3: 2}
    assert sorted(row["started_at"] for row in expected.in_flight.values()) == [T, T + 4 * MINUTE]


def test_a_complete_left_over_takes_no_start_of_more_than_a_minute_before_its_process(recount: Any) -> None:
    begin = T + 10 * MINUTE
    assert paired_starts(recount(start(begin - 61_000), complete(begin, begin + MINUTE))) == {11: None}
    assert paired_starts(recount(start(begin - 60_000), complete(begin, begin + MINUTE))) == {11: 9}
    # More than 60 s after the process start: the first rule fails, the second pairs.
    assert paired_starts(recount(start(begin + 2 * MINUTE), complete(begin, begin + 3 * MINUTE))) == {13: 12}
    assert paired_starts(recount(start(begin + 4 * MINUTE), complete(begin, begin + 3 * MINUTE))) == {13: None}


def test_completes_left_over_choose_in_the_order_of_their_event_times(recount: Any) -> None:
    expected = recount(start(T), start(T + MINUTE), complete("", T + 9 * MINUTE), complete("", T + 2 * MINUTE))
    assert paired_starts(expected) == {2: 1, 9: 0}


def test_a_complete_cancelled_before_its_start_never_pairs(recount: Any) -> None:
    for zero in (0, "0", "0.000000"):
        expected = recount(start(T), complete(zero, T + MINUTE, t_final_transfer_state="Abort"))
        assert paired_starts(expected) == {1: None}
        assert len(expected.in_flight) == 1
        assert only(expected.transfers)["started_at"] is None


def test_a_start_and_a_complete_that_name_different_instances_or_agents_do_not_pair(recount: Any) -> None:
    assert paired_starts(recount(start(T, endpnt="fts3-pilot.cern.ch"), complete(T, T + MINUTE))) == {1: None}
    assert paired_starts(recount(start(T, agent_fqdn="a1"), complete(T, T + MINUTE, agent_fqdn="a2"))) == {1: None}
    agreed = recount(start(T, endpnt="https://FTS3.cern.ch:8446/x", agent_fqdn="a1"), complete(T, T + MINUTE))
    assert only(agreed.transfers)["agent_fqdn"] == "a1"
    assert paired_starts(recount(start(T, endpnt=""), complete(T, T + MINUTE))) == {1: 0}


def test_ids_of_2011_pair_as_a_whole_and_without_process_times(recount: Any) -> None:
    expected = recount(
        start(T, transfer_id="RAL-CERN__2026-11-22-0200_ab", job_id=None, file_id=None, agent_fqdn="fts501"),
        complete(
            None,
            None,
            tr_id="RAL-CERN__2026-11-22-0200_ab",
            job_id=None,
            file_id=None,
            timestamp_tr_st=f"{T + 10_000}.000000",
            timestamp_tr_comp=f"{T + 40_000}.000000",
            timestamp_checksum_dest_ended=f"{T + 42_000}.000000",
        ),
    )
    row = only(expected.transfers)
    assert (row["ended_at"], row["started_at"], row["start_message_at"]) == (T + 42_000, None, T)
    assert (row["streaming_ms"], row["total_ms"], row["agent_fqdn"]) == (30_000, None, "fts501")
    assert (row["job_id"], row["file_id"]) == ("", "")


def test_a_message_counts_once_and_the_copy_received_first_is_kept(recount: Any) -> None:
    late = complete(T, T + MINUTE, file_metadata={"activity": "late copy"})
    first = complete(T, T + MINUTE, file_metadata={"activity": "first copy"}) | {"received": T + 2 * MINUTE}
    expected = recount(late, first, late, start(T), start(T))
    assert (expected.received, expected.stored, expected.duplicate) == (5, 2, 3)
    row = only(expected.transfers)
    assert (row["activity"], row["received_at"]) == ("first copy", T + 2 * MINUTE)
    assert row["complete_ref"].endswith("messages.jsonl:2")
    assert expected.links["10m"][link(T)]["started"] == 1


def test_messages_that_differ_in_their_bytes_are_two(recount: Any) -> None:
    assert recount(complete(T, T + 1), complete(T, T + 1, tr_bt_transfered=1001)).stored == 2


def test_counts_and_bytes_land_in_the_window_of_the_event(recount: Any) -> None:
    expected = recount(
        start(T - 1),
        complete(T, T + WINDOW - 1),
        complete(T, T + WINDOW, t_final_transfer_state="ERROR", tr_bt_transfered="300"),
        complete(T, T + WINDOW + 1, t_final_transfer_state="aborted", tr_bt_transfered=5.0),
    )
    cells = expected.links["10m"]
    assert set(cells) == {link(T - WINDOW, "DE"), link(T), link(T + WINDOW)}
    before, first, second = (
        cells[link(at, country)] for at, country in ((T - WINDOW, "DE"), (T, "AT"), (T + WINDOW, "AT"))
    )
    assert (before["started"], before["ok"]) == (1, 0)
    assert (first["ok"], first["failed"], first["aborted"], first["bytes"], first["bytes_ok"]) == (1, 0, 0, 1000, 1000)
    assert (second["ok"], second["failed"], second["aborted"], second["bytes"], second["bytes_ok"]) == (0, 1, 1, 305, 0)
    hour = expected.links["1h"][link(T)]
    assert (hour["started"], hour["ok"], hour["failed"], hour["aborted"], hour["bytes"]) == (0, 1, 1, 1, 1305)


def test_moved_bytes_are_cut_at_window_edges_with_exact_floors(recount: Any) -> None:
    # 100 bytes over 7 minutes, 2 before the edge: floor(100 * 2 / 7) = 28, and 72 after it.
    begin = T + 8 * MINUTE
    streamed = {"timestamp_tr_st": begin, "timestamp_tr_comp": begin + 7 * MINUTE, "tr_bt_transfered": 100}
    expected = recount(complete(begin, begin + 8 * MINUTE, **streamed))
    cells = expected.links["10m"]
    assert {key.window_start_ms - T: cell["bytes_moved"] for key, cell in cells.items()} == {0: 28, WINDOW: 72}
    assert cells[link(T)]["bytes"] == 0
    assert expected.links["1h"][link(T)]["bytes_moved"] == 100
    assert expected.intervals == {"spread": 1}


@pytest.mark.parametrize(
    ("begin", "end", "fate"),
    [
        (0, T, "none"),
        (T, 0, "none"),
        (T, T, "empty"),
        (T + 1, T, "empty"),
        (T - 7 * 86_400_000, T, "spread"),
        (T - 7 * 86_400_000 - 1, T, "ignored"),
        (T, T + 61_000, "spread"),
        (T, T + 61_001, "ignored"),
        (1000, T, "ignored"),
    ],
)
def test_the_streaming_interval_is_used_only_where_it_can_be_true(
    recount: Any, begin: int, end: int, fate: str
) -> None:
    expected = recount(complete(T, T + 1000, timestamp_tr_st=begin, timestamp_tr_comp=end))
    assert expected.intervals == {fate: 1}
    days = {
        (key.window_start_ms - T) // 86_400_000 for key, cell in expected.links["1d"].items() if cell["bytes_moved"]
    }
    assert len(days) == (8 if fate == "spread" and begin < T - 86_400_000 else 1)
    assert sum(cell["bytes_moved"] for cell in expected.links["1d"].values()) == 1000


def test_measures_of_ok_transfers_are_counted_and_binned(recount: Any) -> None:
    stages = {"timestamp_tr_st": T, "timestamp_tr_comp": T + 20, "time_srm_prep_st": T, "time_srm_prep_end": T}
    expected = recount(
        complete(T, T + 100, **stages),
        complete(T, T + 200, **stages, tr_bt_transfered=7),
        complete(T, T + 300, **stages, t_final_transfer_state="Error"),
    )
    cell = expected.links["10m"][link(T)]
    assert [cell[f"streaming_{part}"] for part in ("count", "sum", "min", "max")] == [2, 40, 20, 20]
    assert cell["streaming_hist"] == {18: 2}  # 20 = 16 + 2 steps of 2
    assert [cell[f"total_{part}"] for part in ("count", "sum", "min", "max")] == [2, 300, 100, 200]
    assert [cell[f"srm_prep_{part}"] for part in ("count", "sum", "min", "max")] == [2, 0, 0, 0]
    assert cell["srm_prep_hist"] == {0: 2}
    # 1000 bytes and 7 bytes in 20 ms: 50 000 and 350 bytes/s.
    assert [cell[f"throughput_{part}"] for part in ("count", "sum", "min", "max")] == [2, 50_350, 350, 50_000]
    assert (cell["checksum_dst_count"], cell["checksum_dst_sum"], cell["checksum_dst_min"]) == (0, 0, None)
    assert cell["checksum_dst_hist"] == {}


def test_no_throughput_without_time(recount: Any) -> None:
    cell = only(recount(complete(T, T + 100, timestamp_tr_st=T, timestamp_tr_comp=T)).links["10m"])
    assert (cell["streaming_count"], cell["streaming_sum"], cell["throughput_count"]) == (1, 0, 0)


@pytest.mark.parametrize(
    ("value", "bin"), [(0, 0), (7, 7), (8, 8), (15, 15), (16, 16), (17, 16), (18, 17), (31, 23), (32, 24), (1000, 63)]
)
def test_bins_are_logarithmic_with_eight_to_an_octave(value: int, bin: int) -> None:
    assert bin_of(value) == bin


def test_a_channel_sums_its_links_and_counts_them(recount: Any) -> None:
    other = {"src_hostname": "c.x.org", "file_id": 8}
    expected = recount(complete(T, T + 100), complete(T, T + 300, **other), start(T, **other), start(T, **other))
    cell = expected.channels["10m"][ChannelKey(T, "fts", "fts3.cern.ch", "atlas", "a.x.org__b.y.org")]
    assert (cell["links"], cell["started"], cell["ok"], cell["bytes"]) == (2, 1, 2, 2000)
    assert [cell[f"total_{part}"] for part in ("count", "sum", "min", "max")] == [2, 400, 100, 300]
    assert cell["total_hist"] == {bin_of(100): 1, bin_of(300): 1}


def test_dead_letters_are_told_by_file_and_line(recount: Any, tmp_path: Path) -> None:
    encoded = {
        "topic": START_TOPIC,
        "body_base64": base64.b64encode(b"\xff\x04").decode(),
        "headers": {},
        "received": T,
    }
    expected = recount(complete(T, T + 1), line(START_TOPIC, ""), encoded, line("transfer.other", "{}"))
    path = str(tmp_path / "messages.jsonl")
    assert expected.dead_letters == {
        (path, 2): DeadLetter("empty", START_TOPIC, T + 3 * 3_600_000, {}, b""),
        (path, 3): DeadLetter("not_json", START_TOPIC, T, {}, b"\xff\x04"),
        (path, 4): DeadLetter("unknown_kind", "transfer.other", T + 3 * 3_600_000, {}, b"{}"),
    }
    assert expected.dead == 3


def test_several_files_plain_or_compressed_are_one_input(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.jsonl", tmp_path / "b.jsonl.gz"
    plain.write_text(json.dumps(start(T)) + "\n")
    packed.write_bytes(gzip.compress((json.dumps(complete(T, T + MINUTE)) + "\n").encode()))
    assert paired_starts(expect([plain, packed], site_of)) == {1: 0}


def test_the_real_samples_are_recounted_as_their_authors_meant_them() -> None:
    expected = expect(SAMPLES / "samples.jsonl", site_of)
    assert expected.dead_by_reason == {"not_json": 2}
    rows = {row["channel"]: row for row in expected.transfers.values()}
    ral, rucio = rows["RAL-CERN"], rows["storm-fe.cr.cnaf.infn.it__grid002.ft.uam.es"]
    assert (ral["fts"], ral["ended_at"], ral["bytes"]) == (
        "fts-pilot-service.cern.ch",
        1_321_612_309_000,
        2_684_354_560,
    )
    assert (ral["streaming_ms"], ral["srm_prep_ms"], ral["srm_fin_ms"], ral["total_ms"]) == (
        30_000,
        13_000,
        2_000,
        None,
    )
    assert (rucio["file_id"], rucio["activity"], rucio["vo"]) == ("1461431003", "Data Consolidation", "atlas")
    assert (rucio["ended_at"], rucio["streaming_ms"], rucio["total_ms"]) == (1_493_217_344_240, 2_308, 53_917)
    assert [row["agent_fqdn"] for row in expected.in_flight.values()] == ["fts501.cern.ch"]


def test_the_recorded_samples_are_the_single_files_byte_for_byte() -> None:
    names = ("start_2011-11-18", "complete_2011-11-18", "draft_start_2012", "draft_complete_2012")
    recorded = [json.loads(each)["body"] for each in (SAMPLES / "samples.jsonl").read_text().splitlines()]
    files = [(SAMPLES / f"{name}.json").read_text() for name in (*names, "complete_2017-04-26_monit")]
    assert recorded == files
