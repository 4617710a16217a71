"""``transferscope stack`` as a user at a shell has it. Kafka and ActiveMQ are those of the shared stack: adopted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.devstack.plan import ACTIVEMQ, KAFKA, POSTGRES
from pipeline.devstack.processes import Identity
from pipeline.devstack.stack import Stack, bring_down
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack


class Shell:
    """Runs ``transferscope stack …`` for one folder, with the shared stack's Kafka and ActiveMQ in the environment."""

    def __init__(self, folder: Path, shared: Stack) -> None:
        self.folder = folder
        self._command = [str(Path(sys.executable).with_name("transferscope")), "stack"]
        adopted = {name: value for name, value in shared.env().items() if "DATABASE" not in name}
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith("TRANSFERSCOPE_")} | adopted

    def __call__(self, verb: str, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        command = [*self._command, verb, *arguments, "--dir", str(self.folder)]
        run = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False, timeout=120)
        assert run.returncode == code, run.stdout + run.stderr
        return run

    def json(self, verb: str, code: int = 0) -> Any:
        return json.loads(self(verb, "--json", code=code).stdout)


@pytest.fixture
def shell(tmp_path: Path, stack: Stack) -> Iterator[Shell]:
    yield Shell(tmp_path / "stack", stack)
    bring_down(tmp_path / "stack")


def test_up_leaves_a_stack_that_status_env_and_logs_tell_of_until_down(shell: Shell) -> None:
    up = shell("up")
    assert "postgres is up at 127.0.0.1:" in up.stderr
    told = shell.json("status")
    assert told["serving"] is True
    by_name = {service["name"]: service for service in told["services"]}
    assert {name: service["state"] for name, service in by_name.items()} == {
        POSTGRES: "up",
        KAFKA: "adopted",
        ACTIVEMQ: "adopted",
    }
    assert by_name[POSTGRES]["memory_bytes"] > 10 * 2**20
    assert by_name[POSTGRES]["ready_s"] > 0
    assert "database system is ready to accept connections" in shell("logs", "postgres").stdout

    script = shell("env").stdout + "echo $TRANSFERSCOPE_DATABASE_URL"
    evaluated = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert evaluated.stdout.strip() == told["environment"]["TRANSFERSCOPE_DATABASE_URL"]

    assert shell.json("down") == {"folder": str(shell.folder), "ended": True}
    assert shell.json("status", code=1)["serving"] is False
    assert shell.json("down")["ended"] is False


def test_up_again_starts_what_crashed_and_leaves_the_rest(shell: Shell) -> None:
    shell("up")
    Identity.of(shell.json("status")["services"][0]["pid"]).kill()
    eventually(lambda: shell.json("status", code=1)["services"][0]["pid"] is None)
    shell("up")
    assert shell.json("status")["serving"] is True


def test_a_stack_whose_supervisor_was_killed_is_recognised_and_cleaned(shell: Shell) -> None:
    shell("up")
    before = shell.json("status")
    supervisor = Identity.of(before["supervisor_pid"])
    supervisor.kill()
    eventually(lambda: not supervisor.is_alive())
    assert "one that ran there was killed" in shell("status", code=1).stderr
    shell("up")
    assert shell.json("status")["environment"] == before["environment"]


def test_without_a_stack_env_says_what_to_do(shell: Shell) -> None:
    assert "say transferscope stack up" in shell("env", code=3).stderr


def test_a_named_service_that_does_not_answer_ends_up_with_its_address(shell: Shell, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('database_url = "postgresql://me@127.0.0.1:1/transfers"\n')
    refused = shell("up", "--config", str(config), code=3)
    assert "postgres at 127.0.0.1:1 is not there" in refused.stderr
