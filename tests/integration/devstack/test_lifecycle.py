"""A stack's life: side by side, restarted, crashed, left behind, found and cleaned. PostgreSQL stands for all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from pipeline.devstack import documents, state
from pipeline.devstack.control import NoSupervisor
from pipeline.devstack.errors import NotThere, StackError
from pipeline.devstack.folders import Folder
from pipeline.devstack.plan import POSTGRES, free_ports
from pipeline.devstack.processes import Identity, family
from pipeline.devstack.stack import Stack, bring_down
from pipeline.devstack.state import StackState
from tests.support.waiting import eventually

DATABASE_URL = "TRANSFERSCOPE_DATABASE_URL"
OWNER = """
import sys, time
from pathlib import Path
from pipeline.devstack.stack import Stack
stack = Stack.up(Path(sys.argv[1]), sys.argv[2:])
print("up", flush=True)
time.sleep(600)
"""

pytestmark = pytest.mark.stack


def ask(url: str, statement: str) -> Any:
    """The first value that the statement gives, committed."""
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def everyone(folder: Path) -> list[Identity]:
    """The supervisor, the services and their children."""
    written = documents.read(Folder(folder).state, StackState)
    assert written is not None
    return family(written.supervisor.pid)


@contextmanager
def owner_of(folder: Path, *services: str) -> Iterator[subprocess.Popen[str]]:
    """A process that owns a stack and waits."""
    command = [sys.executable, "-c", OWNER, str(folder), *services]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        try:
            assert owner.stdout.readline() == "up\n"
            yield owner
        finally:
            owner.kill()


def test_two_stacks_side_by_side_share_nothing(tmp_path: Path) -> None:
    with Stack.up(tmp_path / "one", {POSTGRES}) as one, Stack.up(tmp_path / "two", {POSTGRES}) as two:
        first, second = one.env()[DATABASE_URL], two.env()[DATABASE_URL]
        ask(first, "CREATE TABLE mine (x int)")
        assert ask(second, "SELECT to_regclass('mine')") is None
        one.stop(POSTGRES)
        assert ask(second, "SELECT 1") == 1


def test_address_and_data_outlive_a_restart_a_kill_and_the_stack_itself(tmp_path: Path) -> None:
    with Stack.up(tmp_path, {POSTGRES}) as stack:
        url = stack.env()[DATABASE_URL]
        ask(url, "CREATE TABLE kept AS SELECT 42 AS x")
        stack.restart(POSTGRES)
        assert ask(url, "SELECT x FROM kept") == 42
        stack.kill(POSTGRES)
        assert stack.status().services[POSTGRES].state == state.STOPPED
        stack.start(POSTGRES)
        assert ask(url, "SELECT x FROM kept") == 42
    with Stack.up(tmp_path, {POSTGRES}) as again:
        assert again.env()[DATABASE_URL] == url
        assert ask(url, "SELECT x FROM kept") == 42


def test_nothing_runs_after_down(tmp_path: Path) -> None:
    with Stack.up(tmp_path, {POSTGRES}) as stack:
        running = everyone(tmp_path)
        assert len(running) > 3  # supervisor, postmaster and its children
    assert not any(process.is_alive() for process in running)
    with pytest.raises(NoSupervisor):
        stack.status()


def test_kill_9_of_the_owner_leaves_nothing(tmp_path: Path) -> None:
    with owner_of(tmp_path, POSTGRES) as owner:
        running = everyone(tmp_path)
        owner.send_signal(signal.SIGKILL)
        eventually(lambda: not any(process.is_alive() for process in running))


@pytest.mark.parametrize("service", ["postgres", "activemq"])
def test_kill_9_of_the_supervisor_leaves_nothing_and_the_next_up_finds_its_data(service: str, tmp_path: Path) -> None:
    with Stack.up(tmp_path, {service}) as stack:
        running = everyone(tmp_path)
        environment = stack.env()
        os.kill(running[0].pid, signal.SIGKILL)
        eventually(lambda: not any(process.is_alive() for process in running))
        with pytest.raises(NoSupervisor):
            stack.status()
        with Stack.up(tmp_path, {service}) as again:
            assert again.status().is_serving
            assert again.env() == environment


def test_processes_that_outlived_their_supervisor_are_ended(tmp_path: Path) -> None:
    with Stack.up(tmp_path, {POSTGRES}):
        written = Folder(tmp_path).state.read_bytes()
    with subprocess.Popen(["sleep", "600"]) as left:
        lost = documents.decode(written, StackState)
        lost.services[POSTGRES].process = Identity.of(left.pid)
        documents.write(Folder(tmp_path).state, lost)
        assert bring_down(tmp_path)
        assert left.wait(10) == -signal.SIGKILL
    assert not bring_down(tmp_path)


def test_a_stranger_who_got_the_pid_of_a_lost_process_is_left_alone(tmp_path: Path) -> None:
    with Stack.up(tmp_path, {POSTGRES}):
        written = Folder(tmp_path).state.read_bytes()
    with subprocess.Popen(["sleep", "600"]) as stranger:
        lost = documents.decode(written, StackState)
        himself = Identity.of(stranger.pid)
        lost.services[POSTGRES].process = replace(himself, start_ticks=himself.start_ticks - 1)
        documents.write(Folder(tmp_path).state, lost)
        with Stack.up(tmp_path, {POSTGRES}) as stack:
            assert stack.status().is_serving
        assert stranger.poll() is None
        stranger.kill()


def test_a_service_that_crashes_is_seen_at_once_with_its_last_words(tmp_path: Path) -> None:
    with Stack.up(tmp_path, {POSTGRES}) as stack:
        process = stack.status().services[POSTGRES].process
        assert process is not None
        process.kill()
        eventually(lambda: stack.status().services[POSTGRES].process is None)
        crashed = stack.status().services[POSTGRES]
        assert crashed.state == state.FAILED
        assert "ended by itself" in crashed.detail


def test_one_folder_has_one_owner(tmp_path: Path) -> None:
    with Stack.up(tmp_path, {POSTGRES}) as stack:
        with pytest.raises(StackError, match=r"a stack already runs in .*choose another folder"):
            Stack.up(tmp_path, {POSTGRES})
        assert stack.status().is_serving


def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    odd = tmp_path / ("with, a space and ümlauts " + "x" * 90)
    with Stack.up(odd, {POSTGRES}) as stack:
        assert ask(stack.env()[DATABASE_URL], "SELECT 1") == 1


def test_a_service_that_cannot_start_is_named_with_the_reason_and_nothing_stays(tmp_path: Path) -> None:
    with Stack.up(tmp_path, {POSTGRES}):
        pass
    (tmp_path / "postgres" / "data" / "global" / "pg_control").unlink()
    with pytest.raises(NotThere, match=r"postgres at 127\.0\.0\.1:\d+ is not there: .*pg_control"):
        Stack.up(tmp_path, {POSTGRES})
    with pytest.raises(NoSupervisor):
        Stack.attach(tmp_path)


def test_a_service_named_by_the_settings_is_taken_from_there(tmp_path: Path, postgres_url: str) -> None:
    settings = {DATABASE_URL: postgres_url, "TRANSFERSCOPE_TOPOLOGY": "t.json"}
    with Stack.up(tmp_path, {POSTGRES}, adopt=settings) as stack:
        assert stack.env() == {DATABASE_URL: postgres_url}
        adopted = stack.status().services[POSTGRES]
        assert adopted.state == state.ADOPTED
        assert adopted.process is None
        with pytest.raises(StackError, match="restart it where it runs"):
            stack.restart(POSTGRES)
    assert not (tmp_path / "postgres").exists()
    assert ask(postgres_url, "SELECT 1") == 1


def test_a_shell_that_still_has_the_settings_of_the_stack_starts_it_again(tmp_path: Path) -> None:
    with Stack.up(tmp_path, {POSTGRES}) as stack:
        environment = stack.env()
    with Stack.up(tmp_path, {POSTGRES}, adopt=environment) as again:
        assert again.status().services[POSTGRES].state == state.UP
        assert again.env() == environment


def test_a_named_service_that_does_not_answer_is_said_with_its_address(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with pytest.raises(NotThere, match=f"postgres at 127.0.0.1:{port} is not there"):
        Stack.up(tmp_path, {POSTGRES}, adopt={DATABASE_URL: f"postgresql://me@127.0.0.1:{port}/x"})


def test_a_jar_that_is_not_the_locked_one_is_refused_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stack: Stack
) -> None:
    """``stack`` has filled the cache, which is copied with one jar changed."""
    from pipeline.devstack import jars
    from pipeline.devstack.folders import jar_cache

    copy = tmp_path / "cache" / "transferscope" / "jars"
    copy.mkdir(parents=True)
    wanted = [each for each in jars.locked() if each.service in ("activemq", "jolokia")]
    for each in wanted:
        each.path_in(copy).parent.mkdir(exist_ok=True)
        each.path_in(copy).symlink_to(each.path_in(jar_cache()))
    changed = wanted[-1].path_in(copy)
    changed.unlink()
    changed.write_bytes(b"not a jar")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(NotThere, match=f"{wanted[-1].coordinate} is not the jar"):
        Stack.up(tmp_path / "stack", {"activemq"})
    with pytest.raises(NoSupervisor):
        Stack.attach(tmp_path / "stack")
