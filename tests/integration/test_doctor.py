"""doctor on real services: each thing that it looks at once as it should be, and once not."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ConfigResource,
    ConfigResourceType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
)

from consumers.bridge.publish import create_queues
from consumers.kafka.admin import ensure_topics
from pipeline.cli import settings
from pipeline.cli.brokers import brokers
from pipeline.cli.checking import postgres as asked_of_postgres
from pipeline.cli.checking.check import Check, Verdict
from pipeline.cli.checking.disk import Room
from pipeline.cli.checks import checks
from pipeline.cli.kafka import kafka_access
from pipeline.cli.settings import PREFIX
from pipeline.devstack.plan import ACTIVEMQ, KAFKA, KAFKA_USER, BrokerTls
from pipeline.devstack.stack import Stack
from pipeline.store import roles
from pipeline.store.housekeeping import Housekeeper
from pipeline.store.retention import Retention
from schemas.topics import BROKER_TOPICS, FTS_QUEUE, FTS_TRANSFER
from tests.support.certificates import PASSWORD, Authority
from tests.support.database import Database
from tests.support.lines import COMPLETE, complete, line, write
from tests.support.logins import login_of
from tests.support.postgres_tls import in_front_of
from tests.support.shell import Shell
from tests.support.stomp_broker import StompBroker

pytestmark = pytest.mark.stack

SHIFT_S = 90.0
POSTGRES_CLOCK, ACTIVEMQ_CLOCK = "clock of PostgreSQL", "clock of ActiveMQ at "


def seen(environment: Mapping[str, str], ahead_s: float = 0.0, config: Path | None = None) -> dict[str, Check]:
    """All checks by what they look at, as a machine sees it whose clock is ahead of this one's."""
    found = list(checks(settings.load(config, environment), lambda: time.time() + ahead_s))
    by_name = {check.what: check for check in found}
    assert len(by_name) == len(found), "two lines about one thing"
    return by_name


def of(database_url: str, **changed: str) -> dict[str, Check]:
    return seen({f"{PREFIX}DATABASE_URL": database_url} | {f"{PREFIX}{name}": value for name, value in changed.items()})


# PostgreSQL


@contextmanager
def encrypted(database_url: str, authority: Authority, mode: str = "verify-full") -> Iterator[str]:
    with in_front_of(database_url, authority.pair("postgres", "127.0.0.1")) as port:
        parts = urlsplit(database_url)
        login = parts.netloc.rpartition("@")[0]
        asked = f"{parts.query}&sslmode={mode}&sslrootcert={quote(str(authority.certificate))}".removeprefix("&")
        yield parts._replace(netloc=f"{login}@127.0.0.1:{port}", query=asked).geturl()


def test_the_clock_of_postgresql(database_url: str) -> None:
    assert of(database_url)[POSTGRES_CLOCK].verdict is Verdict.OK
    for ahead_s in (SHIFT_S, -SHIFT_S):
        found = seen({f"{PREFIX}DATABASE_URL": database_url}, ahead_s)[POSTGRES_CLOCK]
        where = "behind" if ahead_s > 0 else "ahead of"
        assert (found.verdict, f" s {where} this machine" in found.detail) == (Verdict.WRONG, True), found


@pytest.mark.parametrize(("days", "verdict"), [(60, Verdict.OK), (20, Verdict.WARNING)])
def test_tls_to_postgresql(database_url: str, tmp_path: Path, days: int, verdict: Verdict) -> None:
    assert "not encrypted" in of(database_url)["TLS to PostgreSQL"].detail
    with encrypted(database_url, Authority(tmp_path, days=days)) as url:
        found = of(url)["TLS to PostgreSQL"]
    assert found.verdict is verdict, found
    told = f"its certificate holds for {days - 1} more days, its authority holds for {days - 1} more days"
    assert found.detail.startswith(f"TLSv1.3, {told}")


def test_rights_in_postgresql(database: Database) -> None:
    roles.ensure(database.url)

    def line_of(*granted: str, spoiled: str = "") -> Check:
        with login_of(database, *granted) as login:
            if spoiled:
                database.ask(f"REVOKE {spoiled}")
            return of(login.url)[f"rights of {login.name}"]

    owner = of(database.url)
    assert next(check.detail for what, check in owner.items() if what.startswith("rights of")).startswith("it owns")
    for role, _ in roles.HOLDERS:
        found = line_of(role)
        assert (found.verdict, f"it may what {role} may;" in found.detail) == (Verdict.OK, True), found
    nobody = line_of()
    assert (nobody.verdict, f"GRANT {roles.READER} TO" in nobody.detail) == (Verdict.WRONG, True)
    before_upgrade = line_of(roles.WEB, spoiled=f"UPDATE (ends_at) ON store.silence FROM {roles.WEB}")
    assert before_upgrade.verdict is Verdict.WRONG
    assert "lacks UPDATE (ends_at) ON store.silence: run transferscope init as the owner" in before_upgrade.detail
    name = database.value("SELECT current_database()")
    database.ask(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    reads_only = line_of(roles.WRITER)
    assert (reads_only.verdict, "the primary" in reads_only.detail) == (Verdict.WARNING, True)


def test_retention_in_postgresql(shell: Shell, database: Database, tmp_path: Path) -> None:
    what = "retention of PostgreSQL"
    assert "nothing is stored yet" in of(database.url)[what].detail
    now_ms = int(time.time() * 1000)
    shell("replay", write(tmp_path / "r.jsonl", [line(COMPLETE, complete(1, now_ms), now_ms)]))
    replayed = of(database.url)[what]
    assert (replayed.verdict, "start a worker" in replayed.detail) == (Verdict.WARNING, True)
    Housekeeper(database.url, Retention()).run()
    kept = of(database.url)[what]
    assert (kept.verdict, "nothing is older than what is kept" in kept.detail) == (Verdict.OK, True)
    database.ask("SELECT store.make_partition('start', 'start_p20200101', '2020-01-01', '2020-01-02', 100)")
    overdue = of(database.url)[what]
    assert (overdue.verdict, "the oldest of 2020-01-01" in overdue.detail) == (Verdict.WRONG, True)


def test_the_disk_of_postgresql(
    shell: Shell, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    what, day_ms = "disk of PostgreSQL", 86_400_000
    empty = of(database.url)[what]
    assert (empty.verdict, "a day" in empty.detail) == (Verdict.OK, False), "no growth was measured"
    now_ms = int(time.time() * 1000)
    lines = [line(COMPLETE, complete(n, now_ms - n * day_ms), now_ms - n * day_ms) for n in (1, 2, 3)]
    shell("replay", write(tmp_path / "r.jsonl", lines))
    grown = of(database.url)[what]
    assert (grown.verdict, " kB more a day, " in grown.detail, " free" in grown.detail) == (Verdict.OK, True, True)
    monkeypatch.setattr(asked_of_postgres, "_room", lambda *_: Room(10**12, 2 * 10**6))
    full = of(database.url)[what]
    assert (full.verdict, "days, before anything is old enough" in full.detail) == (Verdict.WARNING, True), full
    with login_of(database, roles.READER) as login:
        monkeypatch.undo()
        roles.ensure(database.url)
        assert "can be seen on its own machine" in of(login.url)[what].detail, "it is not told where the files are"


# Kafka and ActiveMQ


@dataclass
class Secured:
    """Both behind TLS; the environment names their TLS ports and our user."""

    stack: Stack
    environment: dict[str, str]


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("doctor")
    (folder / "password").write_bytes(PASSWORD)
    authority = Authority(folder, days=60)
    tls = BrokerTls(authority.key_store("services", "127.0.0.1"), folder / "password")
    with Stack.up(folder / "stack", {KAFKA, ACTIVEMQ}, tls=tls) as stack:
        more = {
            "KAFKA_BOOTSTRAP": stack.kafka_tls_address(),
            "KAFKA_CA_FILE": str(authority.certificate),
            "KAFKA_USER": KAFKA_USER,
            "KAFKA_PASSWORD_FILE": str(folder / "password"),
            "STOMP_BROKERS": stack.tls_address(),
            "STOMP_CA_FILE": str(authority.certificate),
        }
        yield Secured(stack, stack.env() | {f"{PREFIX}{name}": value for name, value in more.items()})


@contextmanager
def administrator(secured: Secured) -> Iterator[KafkaAdminClient]:
    client = KafkaAdminClient(bootstrap_servers=secured.stack.env()[f"{PREFIX}KAFKA_BOOTSTRAP"])
    try:
        yield client
    finally:
        client.close()


@pytest.fixture
def made(secured: Secured) -> Secured:
    """With our topics."""
    ensure_topics(kafka_access(settings.load(None, secured.environment)), settings.Settings().partitions)
    return secured


def test_all_is_well_with_kafka_and_activemq_behind_tls(made: Secured) -> None:
    found = seen(made.environment)
    bad = {what: check for what, check in found.items() if check.verdict not in (Verdict.OK, Verdict.LEFT_OUT)}
    assert bad == {}
    kafka = found[f"TLS to Kafka at {made.environment[f'{PREFIX}KAFKA_BOOTSTRAP']}"].detail
    stomp = found[f"TLS to {urlsplit(made.environment[f'{PREFIX}STOMP_BROKERS']).netloc}"].detail
    for detail in (kafka, stomp):
        assert detail == "TLSv1.3, its certificate holds for 59 more days, its authority holds for 59 more days"
    assert found["retention of Kafka"].detail.startswith("7 d 00 h or more")
    assert " free" in found["disk of Kafka, broker 1"].detail


def test_the_clock_of_activemq(made: Secured) -> None:
    (found,) = (check for what, check in seen(made.environment, SHIFT_S).items() if what.startswith(ACTIVEMQ_CLOCK))
    assert (found.verdict, " s behind this machine" in found.detail) == (Verdict.WRONG, True)


def test_certificates_that_end_soon(made: Secured) -> None:
    later = seen(made.environment, ahead_s=40 * 86_400)
    told = [check for what, check in later.items() if what.startswith("TLS to ") and "TLSv1" in check.detail]
    assert [check.verdict for check in told] == [Verdict.WARNING] * 2
    assert all("have its certificate and its authority renewed" in check.detail for check in told)


def test_rights_on_kafka(made: Secured) -> None:
    what = f"rights of {KAFKA_USER} on Kafka"
    assert seen(made.environment)[what].verdict is Verdict.OK
    with administrator(made) as client:
        try:
            client.create_acls([_rule(KAFKA_USER, ACLOperation.WRITE, ACLPermissionType.DENY)])
            hidden = seen(made.environment)
            client.create_acls([_rule(KAFKA_USER, ACLOperation.READ, ACLPermissionType.ALLOW)])
            seen_alone = seen(made.environment)
        finally:
            client.delete_acls([_rules()])
    told = hidden[what]
    assert (told.verdict, "kafka-acls.sh" in told.detail) == (Verdict.WARNING, True)
    names = f"bridge may not describe and write {FTS_TRANSFER}; worker may not describe and read {FTS_TRANSFER}:"
    assert told.detail.startswith(names)
    assert f"topic {FTS_TRANSFER}" not in hidden, "it is there, and init would not help"
    assert seen_alone[what].detail.startswith(f"bridge may not write {FTS_TRANSFER}:"), "workers may work"


def _rule(user: str, operation: ACLOperation, permission: ACLPermissionType) -> ACL:
    topic = ResourcePattern(ResourceType.TOPIC, FTS_TRANSFER)
    return ACL(f"User:{user}", "*", operation, permission, topic)


def _rules() -> ACLFilter:
    every = ResourcePatternFilter(ResourceType.TOPIC, FTS_TRANSFER, ACLResourcePatternType.LITERAL)
    return ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, every)


def test_retention_in_kafka(made: Secured) -> None:
    topic = ConfigResourceType.TOPIC
    with administrator(made) as client:
        try:
            client.alter_configs([ConfigResource(topic, FTS_QUEUE, configs={"retention.bytes": "1000000"})])
            cut = seen(made.environment)["retention of Kafka"]
            client.alter_configs([ConfigResource(topic, FTS_QUEUE, configs={"retention.ms": "3600000"})])
            short = seen(made.environment)
        finally:
            client.delete_topics([FTS_QUEUE])
    assert (cut.verdict, f"{FTS_QUEUE} at 1000000 bytes" in cut.detail) == (Verdict.WARNING, True)
    told = short["retention of Kafka"]
    assert (told.verdict, f"{FTS_QUEUE} keeps 1 h 00 min, less" in told.detail) == (Verdict.WRONG, True)
    assert short[f"topic {FTS_QUEUE}"].verdict is Verdict.WRONG, "the settings say otherwise, too"


def test_rights_on_activemq(made: Secured) -> None:
    address = urlsplit(made.environment[f"{PREFIX}STOMP_BROKERS"]).netloc
    what = f"rights of transferscope on {address}"
    before = seen(made.environment)[what]
    assert (before.verdict, "the bridge makes them" in before.detail) == (Verdict.LEFT_OUT, True)
    for broker in brokers(settings.load(None, made.environment)):
        create_queues(broker)
    after = seen(made.environment)[what]
    number = len(BROKER_TOPICS)
    assert (after.verdict, after.detail) == (Verdict.OK, f"it may read {number} of {number} destinations")
    closed = {name: value for name, value in made.environment.items() if "BROKER_API" not in name}
    assert "nobody knows which queues are there" in seen(closed)[what].detail


@pytest.mark.parametrize(("may_read", "verdict"), [(True, Verdict.OK), (False, Verdict.WRONG)])
def test_a_broker_that_lets_us_in_and_perhaps_not_read(tmp_path: Path, *, may_read: bool, verdict: Verdict) -> None:
    file = tmp_path / "settings.toml"
    with StompBroker(may_read=may_read) as broker:
        file.write_text(f'[[broker]]\nurl = "stomp://127.0.0.1:{broker.port}"\nmode = "topic"\n')
        found = seen({}, config=file)[f"rights of anybody on 127.0.0.1:{broker.port}"]
    assert found.verdict is verdict, found
    refused = "it may not read /topic/transfer.fts_monitoring_start (it refuses: User "
    assert found.detail.startswith("it may read 6 of 6" if may_read else refused)
