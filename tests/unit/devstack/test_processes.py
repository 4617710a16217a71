"""Who a process is beyond its pid."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from pipeline.devstack.processes import Identity, family, memory_bytes
from tests.support.waiting import eventually


def test_a_process_that_runs_is_alive_and_holds_memory() -> None:
    assert Identity.of(os.getpid()).is_alive()
    assert memory_bytes(os.getpid()) > 2**20


def test_the_same_pid_with_another_start_or_boot_is_another_process() -> None:
    me = Identity.of(os.getpid())
    assert not replace(me, start_ticks=me.start_ticks - 1).is_alive()
    assert not replace(me, boot_id="another").is_alive()


def test_a_process_that_waits_to_be_reaped_is_not_alive() -> None:
    with subprocess.Popen([sys.executable, "-c", "print()"], stdout=subprocess.PIPE) as child:
        identity = Identity.of(child.pid)
        assert child.stdout is not None
        child.stdout.read()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not identity.is_alive()


def test_a_process_that_is_gone_has_no_identity_family_or_memory() -> None:
    with subprocess.Popen(["true"]) as child:
        child.wait()
    with pytest.raises(ProcessLookupError):
        Identity.of(child.pid)
    assert family(child.pid) == []
    assert memory_bytes(child.pid) == 0


def test_the_family_is_the_process_with_its_children_and_theirs() -> None:
    script = "import subprocess, sys; subprocess.run(['sh', '-c', 'echo; read line'])"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        found = family(parent.pid)
        assert found[0].pid == parent.pid
        assert len(found) == 2
        for member in found:
            member.kill()
        eventually(lambda: not any(member.is_alive() for member in found))
