"""init, doctor, status and replay against all three services, with bridge and worker as their own processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.cli.settings import PREFIX
from schemas.topics import BROKER_TOPICS, FTS_OPTIMIZER, FTS_QUEUE_STATUS, TOPICS
from tests.support.fts_messages import TOPIC_OF
from tests.support.lines import COMPLETE, START, complete, line, start, write
from tests.support.queue_messages import link, optimizer_fields, status_fields
from tests.support.services import services
from tests.support.shell import Shell

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The settings of services that nobody has initialised yet."""
    with services(tmp_path_factory.mktemp("flow"), os.environ) as stack:
        yield stack.env()


@pytest.fixture
def shell(environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Shell(capsys)


@contextmanager
def running(command: str, environment: Mapping[str, str], log: Path) -> Iterator[None]:
    """A process of ours, ended with SIGTERM."""
    script = f"from pipeline.cli.main import main; main(['{command}'])"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", script], env={**os.environ, **environment}, stdout=output, stderr=output
        )
    try:
        yield
    finally:
        process.terminate()
        assert process.wait(15) == 0, log.read_text()


def test_before_init_status_and_doctor_say_what_is_missing(shell: Shell) -> None:
    shell("status", code=2)
    assert "transferscope init" in shell.err
    checks = shell.json("doctor", code=1)["checks"]
    wrong = {check["what"]: check["detail"] for check in checks if check["verdict"] not in ("ok", "left out")}
    assert set(wrong) == {"tables", *(f"topic {topic.name}" for topic in TOPICS)}
    assert all("run transferscope init" in detail for detail in wrong.values())


def test_init_makes_what_is_missing_and_then_nothing(shell: Shell) -> None:
    first = shell.json("init")
    assert {step["what"] for step in first if step["is_new"]} - {"role"} == {"database", "kafka"}
    assert not [step for step in shell.json("init") if step["is_new"]]
    left = [check for check in shell.json("doctor")["checks"] if check["verdict"] != "ok"]
    assert [check["verdict"] for check in left] in ([], ["left out"])
    assert all("no queue of ours is there yet" in check["detail"] for check in left)


def test_doctor_shows_origins_and_no_secret(shell: Shell, environment: Mapping[str, str]) -> None:
    text = shell("doctor")
    assert f"environment {PREFIX}STOMP_BROKERS" in text
    secret = Path(environment[f"{PREFIX}STOMP_PASSWORD_FILE"]).read_text().strip()
    assert len(secret) > 7
    assert secret not in text


def test_topics_that_are_not_as_the_settings_say_are_told_and_left_alone(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell("init")
    monkeypatch.setenv(f"{PREFIX}PARTITIONS", "4")
    wrong = [check for check in shell.json("doctor", code=1)["checks"] if check["verdict"] == "wrong"]
    assert {check["what"] for check in wrong} == {f"topic {topic.name}" for topic in TOPICS}
    assert all("partitions is 8, not 4" in check["detail"] for check in wrong)
    assert any("would be made as 4; left as it is" in step["detail"] for step in shell.json("init"))


def test_without_the_bridge_nothing_is_idle(shell: Shell) -> None:
    shell("init")
    state = shell.json("status", "--wait-idle", "0.5", code=1)
    assert (state["idle"], state["healthy"]) == (False, False)
    assert any("run transferscope bridge" in problem for problem in state["problems"])
    assert state["left_out"] == []


def test_replayed_files_come_through_kafka_and_through_the_broker_and_all_comes_to_rest(
    shell: Shell, environment: Mapping[str, str], tmp_path: Path
) -> None:
    shell("init")
    pairs = [line(topic, body) for n in (1, 2) for topic, body in ((START, start(n)), (COMPLETE, complete(n)))]
    queues = [(FTS_QUEUE_STATUS, status_fields(link())), (FTS_OPTIMIZER, optimizer_fields())]
    pairs += [line(TOPIC_OF[kind], json.dumps(fields)) for kind, fields in queues]
    recorded = write(tmp_path / "r.jsonl", [*pairs, line(START, "no json")])
    with (
        running("bridge", environment, tmp_path / "bridge.log"),
        running("worker", environment, tmp_path / "worker.log"),
    ):
        assert shell.json("status", "--wait-idle", "60")["idle"]
        for _ in range(2):
            assert shell.json("replay", "--to", "kafka", recorded)["sent"] == 7
        assert shell.json("status", "--wait-idle", "60")["dead_letters"] == {"not_json": 1}
        transfers = shell.json("query", "transfers", "--order", "file_id")
        assert [(row["file_id"], row["received_at"]) for row in transfers] == [
            ("1", "2026-11-22T12:02:00Z"),
            ("2", "2026-11-22T12:02:00Z"),
        ]
        assert all(row["start_ref"].startswith("fts.transfer-") for row in transfers)

        assert shell.json("replay", "--to", "activemq", recorded)["sent"] == 7
        state = shell.json("status", "--wait-idle", "60")
        assert state["dead_letters"] == {"not_json": 2}
        assert {source["source"] for source in state["freshness"]} == {
            *("fts3.cern.ch", "fts.example.org", "fts3.example.org", START)
        }
        assert [queue["depth"] for queue in state["queues"]] == [0] * len(BROKER_TOPICS)
        assert sum(group["end"] for group in state["groups"]) == 21
        assert len(shell.json("query", "transfers")) == 2
        sampled = shell.json("query", "queues", "--order", "active_last")
        assert [(row["fts"], row["vo"], row["active_last"], row["samples"]) for row in sampled] == [
            ("fts.example.org", "atlas", 2, 1),
            ("fts3.example.org", None, 18, 1),
        ]
        assert shell.json("verify")["differing"] == 0


def test_a_backlog_above_the_limit_is_a_problem(shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shell("init")
    waiting = shell.json("status", code=1)["waiting"]
    shell("replay", "--to", "kafka", write(tmp_path / "r.jsonl", [line(START, start(n)) for n in range(10)]))
    monkeypatch.setenv(f"{PREFIX}BACKLOG_LIMIT", str(waiting + 9))
    problems = shell.json("status", code=1)["problems"]
    assert f"the group transferscope-worker is behind: {waiting + 10} messages wait in Kafka" in problems


# kafka-python forgets the sockets of a client that never came about.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("variable", "value", "service"),
    [
        ("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/x", "PostgreSQL at 127.0.0.1:1/x"),
        ("KAFKA_BOOTSTRAP", "127.0.0.1:1", "Kafka at 127.0.0.1:1"),
        ("BROKER_API", "http://127.0.0.1:1/api/jolokia", "Jolokia at http://127.0.0.1:1/api/jolokia"),
    ],
)
def test_a_service_that_cannot_be_reached_is_named_with_its_address(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, service: str
) -> None:
    shell("init")
    monkeypatch.setenv(PREFIX + variable, value)
    shell("status", code=3)
    assert service in shell.err
    assert shell.err.count("\n") == 1
    unreachable = [check for check in shell.json("doctor", code=3)["checks"] if check["verdict"] == "unreachable"]
    assert len(unreachable) == 1
    assert service in unreachable[0]["detail"]


def test_a_broker_that_cannot_be_reached_is_named_with_its_address(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(f"{PREFIX}STOMP_BROKERS", "stomp://127.0.0.1:1")
    shell("replay", "--to", "activemq", write(tmp_path / "r.jsonl", [line(START, start(1))]), code=3)
    assert "ActiveMQ at 127.0.0.1:1" in shell.err
