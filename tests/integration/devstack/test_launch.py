"""The launcher binds a program to the life of the process that started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from pipeline.devstack import launch
from pipeline.devstack.processes import Identity
from tests.support.waiting import eventually

STARTER = """
import os, signal, subprocess, sys
from pipeline.devstack import launch
program = ["/bin/sh", "-c", "id -u; echo $$; exec sleep 600"]
command = launch.argv(os.getpid(), signal.SIGKILL, sys.argv[1] or None, program)
child = subprocess.Popen(command)
child.wait()
"""


@pytest.mark.parametrize(
    "user", ["", pytest.param("nobody", marks=pytest.mark.skipif(os.geteuid() != 0, reason="root"))]
)
def test_the_program_dies_with_its_starter_also_as_another_user(user: str) -> None:
    with subprocess.Popen([sys.executable, "-c", STARTER, user], stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        ran_as, program = int(starter.stdout.readline()), Identity.of(int(starter.stdout.readline()))
        assert program.is_alive()
        assert (ran_as == os.geteuid()) == (user == "")
        starter.send_signal(signal.SIGKILL)
        eventually(lambda: not program.is_alive())


def test_a_program_whose_starter_is_gone_already_is_not_started() -> None:
    command = launch.argv(os.getpid() + 1, signal.SIGKILL, None, ["/bin/echo", "started"])
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (1, "")
