"""Complete messages: what each field becomes, in every era, and what makes a complete unusable."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.deadletters import Malformed
from schemas.events import INTERVAL_EMPTY, INTERVAL_IGNORED, INTERVAL_NONE, INTERVAL_USED, STAGES
from schemas.rules import Horizon
from tests.support.fts_messages import ABSENT, DAY, HOUR, MINUTE, SECOND, T, complete

NOTHING = [ABSENT, None, "", "  ", 0, "0", "0.000000"]
STAGE_FIELDS = {
    "streaming": ("timestamp_tr_st", "timestamp_tr_comp"),
    "total": ("tr_timestamp_start", "tr_timestamp_complete"),
    "srm_prep": ("time_srm_prep_st", "time_srm_prep_end"),
    "srm_fin": ("time_srm_fin_st", "time_srm_fin_end"),
    "checksum_src": ("timestamp_chk_src_st", "timestamp_chk_src_ended"),
    "checksum_dst": ("timestamp_checksum_dest_st", "timestamp_checksum_dest_ended"),
}
OWN_TIMES = [name for fields in STAGE_FIELDS.values() for name in fields]


def stages(**changes: Any) -> dict[str, int | None]:
    return dict(zip(STAGES, complete(**changes).durations, strict=True))


def reason(received_ms: int | None = T + HOUR, **changes: Any) -> str:
    with pytest.raises(Malformed) as refused:
        complete(received_ms, **changes)
    return refused.value.reason


def test_a_complete_of_today() -> None:
    event = complete(channel_type="urlcopy", protocol="davs", ipver="ipv6", retry=1, retry_max=3)
    assert event.event_ms == T + 60 * SECOND
    assert (event.state, event.bytes, event.file_size) == ("ok", 1000, 1000)
    assert (event.started_ms, event.never_pairs) == (T, False)
    assert (event.interval, event.moved_from_ms, event.moved_to_ms) == (INTERVAL_USED, T + 10_000, T + 50_000)
    assert (event.channel_type, event.protocol, event.ipver) == ("urlcopy", "davs", "ipv6")
    assert (event.retry, event.retry_max) == (1, 3)
    assert stages() == {
        "streaming": 40_000,
        "total": 60_000,
        "srm_prep": None,
        "srm_fin": None,
        "checksum_src": None,
        "checksum_dst": None,
        "throughput": 25,
    }


@pytest.mark.parametrize(
    ("sent", "state"),
    [
        *[("Ok", "ok"), ("OK", "ok"), (" ok ", "ok")],
        *[("Error", "failed"), ("ERROR", "failed")],
        *[("Abort", "aborted"), ("Aborted", "aborted"), ("aBoRtEd", "aborted")],
    ],
)
def test_final_states_of_all_eras(sent: str, state: str) -> None:
    assert complete(t_final_transfer_state=sent).state == state


@pytest.mark.parametrize("sent", ["", "Finished", "okay", "failed", None, ABSENT, 0, 1, True, ["Ok"], "Ok\0"])
def test_another_final_state_is_unknown(sent: Any) -> None:
    assert reason(t_final_transfer_state=sent) == "unknown_state"


@pytest.mark.parametrize("nothing", NOTHING)
def test_the_event_time_is_the_end_of_the_process_else_the_latest_of_its_own_times(nothing: Any) -> None:
    assert complete(tr_timestamp_complete=nothing).event_ms == T + 50 * SECOND
    for later in OWN_TIMES[1:]:
        if later != "tr_timestamp_complete":
            moved: dict[str, Any] = {later: T + 2 * HOUR, "tr_timestamp_complete": nothing}
            assert complete(received_ms=T + 3 * HOUR, **moved).event_ms == T + 2 * HOUR


@pytest.mark.parametrize("nothing", NOTHING)
def test_without_any_time_nobody_knows_when(nothing: Any) -> None:
    assert reason(**dict.fromkeys(OWN_TIMES, nothing)) == "no_time"


@pytest.mark.parametrize("field", OWN_TIMES)
@pytest.mark.parametrize("nonsense", ["soon", -1, True, [], {}, "NaN"])
def test_any_unreadable_time_is_told_and_never_replaced_by_another(field: str, nonsense: Any) -> None:
    with pytest.raises(Malformed, match=field) as refused:
        complete(**{field: nonsense})
    assert refused.value.reason == "bad_time"


@pytest.mark.parametrize(("stage", "fields"), STAGE_FIELDS.items())
def test_a_stage_lasts_from_its_begin_to_its_end(stage: str, fields: tuple[str, str]) -> None:
    begin, end = fields
    assert stages(**{begin: T, end: T + 1234})[stage] == 1234
    assert stages(**{begin: str(T // 1000), end: f"{T + 2000}.000000"})[stage] == 2000
    assert stages(**{begin: T, end: T})[stage] == 0
    assert stages(**{begin: T + 1, end: T})[stage] is None
    assert stages(**{begin: T - 7 * DAY, end: T})[stage] == 7 * DAY
    assert stages(**{begin: T - 7 * DAY - 1, end: T})[stage] is None
    for nothing in NOTHING:
        assert stages(**{begin: nothing, end: T})[stage] is None
        assert stages(**{begin: T, end: nothing})[stage] is None


def test_times_that_the_message_derives_are_never_trusted() -> None:
    derived: dict[str, Any] = {
        "transfer_time": -1_700_000_000_000,
        "operation_time": 1,
        "throughput": -1,
        "srm_preparation_time": 5,
        "srm_finalization_time": 5,
        "srm_overhead_time": 2**64 - 1,
        "timestamp_checksum_src_diff": 9,
    }
    assert complete(**derived) == complete()


@pytest.mark.parametrize(
    ("count", "begin", "end", "throughput"),
    [
        (1000, T, T + 1000, 1000),
        (999, T, T + 2000, 499),  # cut to whole bytes/s
        (0, T, T + 1000, 0),
        (1000, T, T, None),  # 2012 told whole seconds: small files take 0 ms
        (1000, T + 1, T, None),
        (1000, 0, T, None),
        (10 * 1000**4, T, T + 3_600_000, 2_777_777_777),  # 10 TB in an hour
        (2**53, T, T + 1, 2**53 * 1000),  # the largest still fits a bigint
    ],
)
def test_throughput_is_bytes_over_streaming_time(count: int, begin: int, end: int, throughput: int | None) -> None:
    assert stages(tr_bt_transfered=count, timestamp_tr_st=begin, timestamp_tr_comp=end)["throughput"] == throughput
    assert throughput is None or throughput < 2**63


@pytest.mark.parametrize(
    ("sent", "count"),
    [
        *[(0, 0), ("0", 0), ("", 0), ("  ", 0), (None, 0), (ABSENT, 0)],
        *[("10556847", 10_556_847), (1.0556847e7, 10_556_847), ("1.0556847E7", 10_556_847)],
        *[(1000.0, 1000), ("1000.000", 1000), (10 * 1000**4, 10 * 1000**4), (2**53, 2**53)],
    ],
)
def test_bytes_are_whole_numbers_in_any_spelling(sent: Any, count: int) -> None:
    assert complete(tr_bt_transfered=sent).bytes == count


@pytest.mark.parametrize(
    "sent",
    [
        *[-1, "-1", 1.5, "1.5", 2**53 + 1, 2**63, 2**64 - 1, "1e19", "1e999999999", "9" * 100_000],
        *["NaN", "Infinity", "many", True, [], {}, [1000], "1_000", "١٠", "0x10"],
    ],
)
def test_bytes_that_cannot_be_are_told(sent: Any) -> None:
    assert reason(tr_bt_transfered=sent) == "bad_bytes"


@pytest.mark.parametrize(
    ("changes", "size"),
    [
        ({"file_size": 5}, 5),
        ({"file_size": ABSENT, "f_size": "6"}, 6),
        ({"file_size": 5, "f_size": 6}, 5),
        ({"file_size": -1}, None),
        ({"file_size": 2**64 - 1}, None),
        ({"file_size": "much"}, None),
        ({"file_size": 1.0556847e7}, 10_556_847),
        ({"file_size": ABSENT, "f_size": ABSENT}, None),
    ],
)
def test_a_file_size_that_is_none_is_only_left_out(changes: dict[str, Any], size: int | None) -> None:
    assert complete(**changes).file_size == size


@pytest.mark.parametrize("nothing", [ABSENT, None, "", "  "])
def test_a_process_start_that_is_absent_may_still_pair(nothing: Any) -> None:
    event = complete(tr_timestamp_start=nothing)
    assert (event.started_ms, event.never_pairs) == (None, False)


@pytest.mark.parametrize("zero", [0, 0.0, "0", "0.000000", "-0"])
def test_a_process_start_that_was_sent_as_zero_never_pairs(zero: Any) -> None:
    event = complete(tr_timestamp_start=zero, t_final_transfer_state="Abort")
    assert (event.started_ms, event.never_pairs) == (None, True)
    assert event.event_ms == T + 60 * SECOND


BEGIN, END = T + 10 * SECOND, T + 50 * SECOND


@pytest.mark.parametrize(
    ("begin", "end", "use"),
    [
        (BEGIN, END, INTERVAL_USED),
        (BEGIN, 0, INTERVAL_NONE),  # a failed copy
        (0, END, INTERVAL_NONE),
        (ABSENT, "", INTERVAL_NONE),
        (BEGIN, BEGIN, INTERVAL_EMPTY),
        (END, BEGIN, INTERVAL_EMPTY),
        (END - 7 * DAY, END, INTERVAL_USED),
        (END - 7 * DAY - 1, END, INTERVAL_IGNORED),
        (1, END, INTERVAL_IGNORED),  # 1970
        (BEGIN, T + 2 * MINUTE, INTERVAL_USED),  # up to a minute after the event time
        (BEGIN, T + 2 * MINUTE + 1, INTERVAL_IGNORED),
    ],
)
def test_what_becomes_of_a_streaming_interval(begin: Any, end: Any, use: int) -> None:
    event = complete(timestamp_tr_st=begin, timestamp_tr_comp=end)
    assert event.interval == use
    used = (begin, end) if use == INTERVAL_USED else (0, 0)
    assert (event.moved_from_ms, event.moved_to_ms) == used


def test_an_interval_that_starts_before_the_raw_floor_is_ignored() -> None:
    assert complete(horizon=Horizon(30 * DAY, BEGIN)).interval == INTERVAL_USED
    assert complete(horizon=Horizon(30 * DAY, BEGIN + 1)).interval == INTERVAL_IGNORED


def test_errors_are_kept_as_sent() -> None:
    event = complete(
        t_final_transfer_state="Error",
        tr_error_scope="SOURCE",
        t_failure_phase="TRANSFER_PREPARATION",
        tr_error_category="NO_SUCH_FILE_OR_DIRECTORY",
        t_error_code=2,
        t__error_message="SOURCE [2] gone",
    )
    assert (event.error_scope, event.error_phase, event.error_category) == (
        "SOURCE",
        "TRANSFER_PREPARATION",
        "NO_SUCH_FILE_OR_DIRECTORY",
    )
    assert (event.error_code, event.error_message) == ("2", "SOURCE [2] gone")
    assert complete(t_error_code="425").error_code == "425"
    assert complete(t_error_code="").error_code == ""


@pytest.mark.parametrize("wrong", [5, -1, 1.5, 1e300, True, [], {}, ["a"], {"a": 1}, 2**64 - 1, 10**30, None, "\ud800"])
@pytest.mark.parametrize(
    "field",
    [
        *["agent_fqdn", "endpnt", "vo", "src_url", "dst_hostname", "t_channel", "srm_space_token_src", "f_size"],
        *["file_size", "channel_type", "protocol", "ipver", "tr_error_scope", "t_error_code", "t__error_message"],
        "retry",
    ],
)
def test_a_field_of_another_type_costs_no_more_than_itself(field: str, wrong: Any) -> None:
    event = complete(**{field: wrong})
    assert (event.event_ms, event.bytes, event.key_hash) == (T + 60 * SECOND, 1000, complete().key_hash)


def test_24_hours_ahead_and_30_days_behind_the_receipt_are_the_limits() -> None:
    end = T + 60 * SECOND
    assert complete(received_ms=end - DAY).event_ms == complete(received_ms=end + 30 * DAY).event_ms == end
    assert reason(received_ms=end - DAY - 1) == "future"
    assert reason(received_ms=end + 30 * DAY + 1) == "too_old"


def test_copies_have_one_dedupe_key_and_others_another() -> None:
    first = complete()
    assert complete(received_ms=T, tr_bt_transfered="1000").dedupe == first.dedupe
    for change in (
        {"endpnt": "other.example.org"},
        {"tr_id": "2026-11-22-0200__a.x.org__b.y.org__7__job-1"},
        {"t_final_transfer_state": "Error"},
        {"tr_bt_transfered": 1001},
    ):
        assert complete(**change).dedupe != first.dedupe


def test_two_transfers_without_an_id_of_their_own_are_two() -> None:
    assert complete(tr_id=ABSENT).dedupe != complete(tr_id=ABSENT, file_id=8).dedupe
