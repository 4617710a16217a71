"""What doctor says of what it was told: each check in both directions, without services."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from consumers.kafka.admin import Kept
from pipeline.cli.checking import clock, disk, retention, rights, tls
from pipeline.cli.checking.check import Check, Verdict
from pipeline.cli.checking.disk import Growing, Room, days_left
from pipeline.cli.checking.rights import READ, WRITTEN
from pipeline.cli.checking.tls import Peer
from pipeline.store.partitions import DAY_MS, Partition
from pipeline.store.roles import HOLDERS, OPERATOR, READER, WEB, WRITER, Right, Standing
from tests.support.certificates import Authority

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
TODAY_MS = NOW_MS - NOW_MS % DAY_MS
GB = 10**9


@pytest.mark.parametrize(
    ("skew_s", "uncertain_s", "verdict"),
    [
        (0.0, 0.1, Verdict.OK),
        (-59.9, 0, Verdict.OK),
        (60.4, 0.5, Verdict.OK),
        (61, 0.5, Verdict.WRONG),
        (-61, 0.5, Verdict.WRONG),
        (86_400, 1, Verdict.WRONG),
    ],
)
def test_a_clock_is_wrong_beyond_what_pairing_tolerates_and_doubt(
    skew_s: float, uncertain_s: float, verdict: Verdict
) -> None:
    found = clock.judged("X", skew_s, uncertain_s)
    assert (found.what, found.verdict) == ("clock of X", verdict)
    assert ("NTP" in found.detail) == (verdict is Verdict.WRONG)
    assert f"{abs(skew_s):.2f} s {'ahead of' if skew_s > 0 else 'behind'} this machine" in found.detail


def test_a_clock_that_tells_whole_seconds_is_taken_in_their_middle() -> None:
    own = iter([1000.2, 1000.4, 1000.4])
    found = clock.clock("X", lambda: 1000.0, lambda: next(own), unit_s=1.0)
    assert found.detail == "0.20 s ahead of this machine, to within 0.60 s"


@pytest.mark.parametrize("host", [None, "", "/run/postgresql", "localhost", "127.0.0.1", "127.8.8.8", "::1", "[::1]"])
def test_what_stays_on_this_machine_need_not_be_encrypted(host: str | None) -> None:
    assert tls.not_encrypted("X", host, "turn it on").verdict is Verdict.OK


@pytest.mark.parametrize("host", ["db.example.org", "10.0.0.1", "0.0.0.0", "::", "localhost.example.org"])
def test_plain_text_to_others_is_told_with_what_to_do(host: str) -> None:
    found = tls.not_encrypted("X", host, "turn it on")
    assert (found.verdict, found.detail.endswith(": turn it on")) == (Verdict.WARNING, True)


@pytest.mark.parametrize(
    ("days", "authority_days", "verdict", "renewed"),
    [
        (30, 300, Verdict.OK, ""),
        (30, None, Verdict.OK, ""),
        (29, 300, Verdict.WARNING, "have its certificate renewed"),
        (300, 29, Verdict.WARNING, "have its authority renewed"),
        (1, 1, Verdict.WARNING, "have its certificate and its authority renewed"),
    ],
)
def test_certificates_are_told_a_month_before_they_end(
    days: int, authority_days: int | None, verdict: Verdict, renewed: str
) -> None:
    authority_ends = None if authority_days is None else NOW + timedelta(days=authority_days)
    found = tls.encrypted("X", Peer("TLSv1.3", NOW + timedelta(days=days), authority_ends), NOW)
    assert (found.verdict, found.detail.startswith("TLSv1.3, ")) == (verdict, True)
    assert found.detail.endswith(renewed or "more days")


def test_our_own_certificate_is_read_from_its_file(tmp_path: Path) -> None:
    pair = Authority(tmp_path).pair("web", "127.0.0.1")
    (made,) = x509.load_pem_x509_certificates(pair.certificate.read_bytes())
    ends = made.not_valid_after_utc

    def verdict(at: datetime) -> Verdict:
        return tls.own_certificate("web_cert_file", pair.certificate, at).verdict

    assert verdict(ends - timedelta(days=31)) is Verdict.OK
    assert verdict(ends - timedelta(days=29)) is Verdict.WARNING
    assert verdict(ends + timedelta(seconds=1)) is Verdict.WRONG
    for broken in (pair.key, tmp_path / "none"):
        found = tls.own_certificate("web_cert_file", broken, NOW)
        assert (found.verdict, "correct web_cert_file" in found.detail) == (Verdict.WRONG, True)


def test_of_two_authorities_of_a_name_the_one_that_lasts_counts_and_others_do_not(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    (known,) = x509.load_pem_x509_certificates(authority.certificate.read_bytes())
    (signed,) = x509.load_pem_x509_certificates(authority.pair("x", "127.0.0.1").certificate.read_bytes())
    other = Authority(tmp_path, "Other Authority")
    (unknown,) = x509.load_pem_x509_certificates(other.certificate.read_bytes())
    assert tls.authority_end(signed, [unknown, known]) == known.not_valid_after_utc
    assert tls.authority_end(signed, [unknown]) is None


RIGHT = Right("store.link", "INSERT")
ALL = {role: () for role, _ in HOLDERS}


def standing(*may: str, granted: tuple[str, ...] = (), owns: bool = False, writes: bool = True) -> Check:
    lacks = {role: () if role in may else (RIGHT,) for role in ALL}
    return rights.of_database(Standing("me", owns, frozenset(granted), lacks, writes))


def test_the_login_is_told_what_it_may_and_what_is_missing_for_what() -> None:
    reads = standing(READER, granted=(READER,))
    assert reads.verdict is Verdict.OK
    assert reads.detail.startswith(f"it may what {READER} may; init and tokens are for the owner")
    for role in (WRITER, WEB, OPERATOR):
        assert f"GRANT {role}" in reads.detail
    assert "for worker, relay, alerts" in reads.detail
    writes = standing(WRITER, OPERATOR, READER, granted=(WRITER, OPERATOR))
    assert f"it may what {WRITER} may;" in writes.detail
    assert f"for web GRANT {WEB}" in writes.detail
    assert OPERATOR not in writes.detail
    both = standing(*ALL, granted=tuple(ALL))
    assert f"it may what {WRITER} and {WEB} may" in both.detail
    assert "GRANT" not in both.detail


def test_a_login_without_any_right_and_a_role_that_lacks_some_are_wrong() -> None:
    nobody = standing()
    assert (nobody.verdict, f"GRANT {READER} TO me" in nobody.detail) == (Verdict.WRONG, True)
    old = standing(OPERATOR, READER, granted=(WRITER, OPERATOR))
    assert old.verdict is Verdict.WRONG
    assert old.detail == f"its role {WRITER} lacks INSERT ON store.link: run transferscope init as the owner"


def test_owners_and_standbys_are_told_apart() -> None:
    assert "logins of their own" in standing(*ALL, granted=tuple(ALL), owns=True).detail
    copy = standing(*ALL, owns=True, writes=False)
    assert (copy.verdict, "the primary" in copy.detail) == (Verdict.WARNING, True)


def test_what_may_not_be_done_in_kafka_is_told_by_command_and_topic() -> None:
    needed = {"bridge": {"a": WRITTEN, "b": WRITTEN}, "worker": {"a": READ}}
    may = {"a": frozenset({"DESCRIBE", "READ", "WRITE"}), "b": frozenset({"DESCRIBE", "WRITE", "ALTER"})}
    assert rights.of_topics("me", needed, may).verdict is Verdict.OK
    found = rights.of_topics("me", needed, {"a": frozenset({"DESCRIBE", "WRITE"})})
    assert (found.what, found.verdict) == ("rights of me on Kafka", Verdict.WARNING)
    assert found.detail.startswith("bridge may not describe and write b; worker may not read a: allow it")


@pytest.mark.parametrize(
    ("kept", "verdict", "said"),
    [
        ([Kept("a", DAY_MS, -1), Kept("b", -1, -1)], Verdict.OK, "1 d 00 h or more"),
        ([Kept("a", -1, -1)], Verdict.OK, "for ever"),
        ([Kept("a", DAY_MS - 1, -1), Kept("b", 9 * DAY_MS, 5)], Verdict.WRONG, "a keeps 1 d 00 h, less than the 24 h"),
        ([Kept("a", 3_600_000, -1)], Verdict.WRONG, "raise retention.ms"),
        ([Kept("a", 9 * DAY_MS, 10**6)], Verdict.WARNING, "a at 1000000 bytes a partition"),
    ],
)
def test_kafka_must_keep_what_brokers_keep(kept: list[Kept], verdict: Verdict, said: str) -> None:
    found = retention.of_topics(kept)
    assert (found.verdict, said in found.detail) == (verdict, True), found


def test_partitions_tell_when_the_house_was_last_kept() -> None:
    ahead_ms = TODAY_MS + 4 * DAY_MS
    assert retention.of_store([], None, NOW_MS).verdict is Verdict.OK
    assert retention.of_store([], ahead_ms, NOW_MS).verdict is Verdict.OK
    just_after_midnight = retention.of_store([], ahead_ms - DAY_MS, NOW_MS)
    assert just_after_midnight.verdict is Verdict.OK
    never = retention.of_store([], TODAY_MS + DAY_MS, NOW_MS)
    assert (never.verdict, "3 days ago or never: start a worker" in never.detail) == (Verdict.WARNING, True)
    old = Partition("transfer", "transfer_p20260101", TODAY_MS - 60 * DAY_MS, TODAY_MS - 59 * DAY_MS)
    overdue = retention.of_store([old], ahead_ms, NOW_MS)
    assert overdue.verdict is Verdict.WRONG
    assert "1 partitions are older than what is kept, the oldest of 2026-09-28" in overdue.detail


@pytest.mark.parametrize(
    ("free", "growing", "left"),
    [
        (10, [], None),
        (10, [Growing(1, 10)], None),
        (9, [Growing(1, 10)], 9),
        (100, [Growing(10, 5), Growing(10, 100)], 5),
        (0, [Growing(1, 1)], 0),
        (10, [Growing(5, 0)], None),
    ],
)
def test_a_disk_is_full_when_more_comes_than_fits_before_dropping_begins(
    free: int, growing: list[Growing], left: int | None
) -> None:
    assert days_left(free, growing) == left


def test_days_are_told_only_where_growth_was_measured() -> None:
    unknown = disk.judged("X", 5 * GB, None, [Growing(GB, 3)])
    assert (unknown.verdict, "1.00 GB more a day" in unknown.detail) == (Verdict.OK, True)
    roomy = disk.judged("X", 5 * GB, Room(100 * GB, 50 * GB), [Growing(GB, 30)])
    assert (roomy.verdict, "50.0 GB of 100 GB free" in roomy.detail) == (Verdict.OK, True)
    short = disk.judged("X", 5 * GB, Room(100 * GB, 20 * GB), [Growing(GB, 30)])
    assert (short.verdict, "full in 20 days" in short.detail) == (Verdict.WARNING, True)
    little = disk.judged("X", 5 * GB, Room(100 * GB, 9 * GB))
    assert (little.verdict, "days" in little.detail.partition(";")[0]) == (Verdict.WARNING, False)
