"""``simulate --out``: a file that replay reads, and what must come out of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from consumers.bridge.settings import BrokerSettings
from pipeline.cli.errors import ConfigurationError
from pipeline.cli.simulate import simulate
from pipeline.simulator import ALL, SimMessage
from pipeline.simulator import simulate as make_simulation
from tests.support.oracle import expect

T = 1_795_312_800_000


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(simulate, [str(each) for each in arguments], catch_exceptions=False)


def answer(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_file_holds_the_messages_of_the_seed_and_the_summary_what_must_come_of_them(tmp_path: Path) -> None:
    path = tmp_path / "hour.jsonl"
    result = run("--messages", "500", "--seed", "3", "--begin", "2026-11-22T02:00Z", "--out", path, "--json")
    told = answer(result)
    assert (told["messages"], told["seed"], told["begin"], told["out"]) == (500, 3, "2026-11-22T02:00:00Z", str(path))
    assert told["truth"] == make_simulation(500, 3, T, mix=ALL).truth().summary()
    recount = expect(path, lambda host, at_ms: ("", ""))
    assert (recount.received, recount.stored) == (500, told["truth"]["stored"])
    assert recount.dead_by_reason == told["truth"]["dead"]


def test_the_same_seed_and_time_give_the_same_file(tmp_path: Path) -> None:
    for name in ("a.jsonl.gz", "b.jsonl.gz"):
        run("--messages", "50", "--begin", str(T), "--out", tmp_path / name)
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


def test_the_truth_file_holds_every_window(tmp_path: Path) -> None:
    truth = tmp_path / "truth.json"
    run("--messages", "200", "--begin", str(T), "--out", tmp_path / "x.jsonl", "--truth", truth)
    document = json.loads(truth.read_text())
    expected = make_simulation(200, 1, T, mix=ALL).truth()
    assert {width: len(rows) for width, rows in document["windows"].items()} == {
        width: len(windows) for width, windows in expected.windows.items()
    }
    assert document["paired"] == len(expected.pairs) == len(document["pairs"])


def test_people_read_the_totals(tmp_path: Path) -> None:
    result = run("--messages", "2000", "--begin", str(T), "--out", tmp_path / "x.jsonl")
    truth = make_simulation(2000, 1, T, mix=ALL).truth()
    assert "2 000 messages to" in result.stdout
    assert "an hour from 2026-11-22 02:00Z on" in result.stdout
    assert f"{len(truth.pairs)} paired, {len(truth.in_flight)} in flight" in result.stdout
    assert f"{truth.duplicates} duplicate" in result.stdout


def test_without_the_truth_only_the_messages_are_told(tmp_path: Path) -> None:
    result = run("--messages", "20", "--out", tmp_path / "x.jsonl", "--no-truth", "--json")
    assert answer(result)["truth"] is None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--out", "x", "--rate", "5"], "--rate is for publishing"),
        (["--truth", "x", "--no-truth"], "exclude each other"),
        (["--messages", "0"], "--messages"),
    ],
)
def test_options_that_contradict_are_refused(arguments: list[str], says: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert says in result.stderr


def test_a_file_that_cannot_be_written_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=r"nowhere/x\.jsonl cannot be written .*: name another file with --out"
    ):
        run("--messages", "5", "--out", tmp_path / "nowhere" / "x.jsonl")


def test_without_a_file_the_first_broker_gets_the_messages_at_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []

    def publish(messages: Iterable[SimMessage], broker: BrokerSettings, rate: float, progress: Any) -> int:
        published = list(messages)
        progress(len(published))
        asked.append((broker.url, rate, published))
        return len(published)

    monkeypatch.setattr("consumers.bridge.publish.publish", publish)
    monkeypatch.setenv("TRANSFERSCOPE_STOMP_BROKERS", "stomp://mq1.example:61613,stomp://mq2.example:61613")
    told = answer(run("--messages", "30", "--rate", "250", "--begin", str(T), "--json"))
    assert (told["messages"], told["out"]) == (30, None)
    assert asked == [("stomp://mq1.example:61613", 250.0, list(make_simulation(30, 1, T, mix=ALL)))]


def test_without_a_file_and_without_a_broker_the_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TRANSFERSCOPE_STOMP_BROKERS", "TRANSFERSCOPE_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigurationError, match="stomp_brokers is not set"):
        run("--messages", "30")
