"""A broken configuration, and services that cannot be reached: one sentence and the exit code, of every command."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from pipeline.cli.main import COMMANDS
from tests.support.commands import PREFIX, Commands, Ended
from tests.support.fts_messages import start_fields
from tests.support.lines import START, line, write
from tests.support.places import PLACES
from tests.support.shell import Shell

pytestmark = pytest.mark.stack

CONFIGURATION, UNREACHABLE = 2, 3
AT_ONCE = 4
NEEDS_NO_SETTINGS = {"demo", "stack", "bench"}
STAY_UP = {"bridge", "worker", "relay", "alerts", "web"}
"""Run as processes, which they change: signals, the log, the garbage collector. The others are run in this one."""

POSTGRES = ("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/x", "PostgreSQL at 127.0.0.1:1/x")
KAFKA = ("KAFKA_BOOTSTRAP", "127.0.0.1:1", "Kafka at 127.0.0.1:1")
BROKER = ("STOMP_BROKERS", "stomp://127.0.0.1:1", "ActiveMQ at ")
JOLOKIA = ("BROKER_API", "http://127.0.0.1:1/api/jolokia", "Jolokia at http://127.0.0.1:1/api/jolokia")
NOTHING = ("PARTITIONS", "8")
"""A setting that is as it should be: something else is wrong."""


class Case(NamedTuple):
    """A command, one setting, the exit code, and what must stand in the sentence."""

    arguments: tuple[str, ...]
    variable: str
    value: str
    sentence: str
    code: int

    @property
    def settings(self) -> dict[str, str]:
        """What is wrong."""
        return {f"{PREFIX}{self.variable}": self.value}

    def told_otherwise(self, ended: Ended) -> str | None:
        """What the command has done, unless it is what was expected of it."""
        is_told = tells(ended, self.sentence) or (self.arguments == ("doctor",) and self.sentence in ended.out)
        return None if ended.code == self.code and is_told else f"{self}: {ended}"


def test_every_command_says_in_a_sentence_what_is_away_or_wrong(
    transferscope: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shell, away, broken = Shell(capsys), unreachable(tmp_path), misconfigured(tmp_path)
    for cases in (away, broken):
        assert {case.arguments[0] for case in cases} & COMMANDS.keys() == COMMANDS.keys() - NEEDS_NO_SETTINGS

    def as_process(case: Case) -> str | None:
        return case.told_otherwise(transferscope.run(*case.arguments, settings=case.settings))

    def here(case: Case) -> str | None:
        with monkeypatch.context() as environment:
            for variable in [name for name in os.environ if name.startswith(PREFIX)]:
                environment.delenv(variable)
            for variable, value in (transferscope.settings | case.settings).items():
                environment.setenv(variable, value)
            environment.chdir(transferscope.current_folder)
            return case.told_otherwise(shell.run(*case.arguments))

    stay_up = [case for case in away + broken if case.arguments[0] in STAY_UP]
    others = [case for case in away + broken if case.arguments[0] not in STAY_UP]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        assert list(filter(None, threads.map(as_process, stay_up))) == []
    assert list(filter(None, map(here, others))) == []


def tells(ended: Ended, sentence: str) -> bool:
    """Whether the last line on stderr says it, and no other does but what processes log."""
    told = [each for each in ended.err.splitlines() if not each.startswith("20")]
    return len(told) == 1 and told[0].startswith("transferscope: ") and sentence in told[0]


def unreachable(folder: Path) -> list[Case]:
    """Every command without each service that it needs; first the bridge, which waits for brokers for half a minute."""
    recorded = str(write(folder / "r.jsonl", [line(START, start_fields())]))
    topology = folder / "places.json"
    topology.write_text(json.dumps(PLACES))
    away: dict[tuple[str, str, str], tuple[tuple[str, ...], ...]] = {
        BROKER: (("bridge",), ("simulate", "--messages", "1"), ("replay", "--to", "activemq", recorded), ("doctor",)),
        JOLOKIA: (("status",), ("doctor",)),
        KAFKA: (
            ("init",),
            ("bridge",),
            ("worker",),
            ("relay",),
            ("alerts",),
            ("status",),
            ("replay", "--to", "kafka", recorded),
            ("doctor",),
        ),
        POSTGRES: (
            *(
                (name,)
                for name in ("init", "worker", "relay", "alerts", "status", "verify", "recompute", "doctor", "web")
            ),
            *(("query", report) for report in ("links", "channels", "transfers", "in-flight", "dead-letters")),
            ("export", "links", "--from", "-1h", "--out", str(folder / "x.csv")),
            ("replay", recorded),
            ("silences", "list"),
            ("dead-letters", "list"),
            ("dead-letters", "show", "1"),
            ("dead-letters", "replay"),
            ("topology", "load", str(topology)),
            ("topology", "show", "x.org"),
            ("tokens", "list"),
        ),
    }
    return [Case(each, *service, UNREACHABLE) for service, commands in away.items() for each in commands]


def misconfigured(folder: Path) -> list[Case]:
    """Every command with a setting that cannot be meant, and everything else that one can get wrong."""
    recorded = str(folder / "r.jsonl")
    broken, unknown, absent = folder / "broken.toml", folder / "unknown.toml", str(folder / "absent")
    broken.write_text("database_url = \n")
    unknown.write_text('kafka_bootstap = "127.0.0.1:9092"\n')
    commands: list[tuple[str, ...]] = [
        *(
            (name,)
            for name in (
                *(
                    "bridge",
                    "worker",
                    "relay",
                    "alerts",
                    "init",
                    "status",
                    "simulate",
                    "verify",
                    "recompute",
                    "doctor",
                    "web",
                ),
            )
        ),
        ("replay", recorded),
        ("query", "links"),
        ("export", "links", "--from", "-1h", "--out", str(folder / "x.csv")),
        ("silences", "list"),
        ("dead-letters", "list"),
        ("topology", "show", "x.org"),
        ("tokens", "add", "x"),
    ]
    wrong = [
        *((each, "RETENTION_DAYS", "many", "TRANSFERSCOPE_RETENTION_DAYS") for each in commands),
        (("init",), "DATABASE_URL", "mysql://x/y", "TRANSFERSCOPE_DATABASE_URL"),
        (("init",), "DATABASE_URL", "", "TRANSFERSCOPE_DATABASE_URL"),
        (("worker",), "KAFKA_BOOTSTRAP", "", "TRANSFERSCOPE_KAFKA_BOOTSTRAP"),
        (("bridge",), "STOMP_BROKERS", "", "TRANSFERSCOPE_STOMP_BROKERS"),
        (("bridge",), "STOMP_BROKERS", "http://x:1", "TRANSFERSCOPE_STOMP_BROKERS"),
        (("bridge",), "STOMP_PASSWORD_FILE", absent, absent),
        (("bridge",), "KAFKA_CA_FILE", recorded, "kafka_ca_file"),
        (("verify",), "DATABASE_ULR", "x", "TRANSFERSCOPE_DATABASE_URL"),
        (("verify", "--config", str(broken)), *NOTHING, str(broken)),
        (("verify", "--config", str(unknown)), *NOTHING, "kafka_bootstrap"),
        (("verify", "--config", absent), *NOTHING, absent),
        (("verify", "--from", "yesteryear"), *NOTHING, "yesteryear"),
        (("replay", absent), *NOTHING, absent),
        (("topology", "load", str(broken)), *NOTHING, str(broken)),
        (("nonsense",), *NOTHING, "nonsense"),
    ]
    return [Case(*each, CONFIGURATION) for each in wrong]
