"""The units: every process has one, of commands that there are, and may do little on its machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.deployed import command_line

FOLDER = Path(__file__).resolve().parents[3] / "deploy" / "systemd"
UNITS = sorted(FOLDER.glob("*.service"))
PROGRAM = "/opt/transferscope/bin/transferscope"
EXPOSURE = 1.5
"""As `systemd-analyze security` counts it, from 0 to 10; below 2 it says OK."""

of_each = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)


@pytest.fixture(scope="module")
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("no systemd-analyze on the path (Debian: package systemd)")
    return found


def settings(unit: Path) -> dict[str, str]:
    lines = (line.partition("=") for line in unit.read_text().splitlines() if "=" in line and line[0] != "#")
    return {name: value for name, _, value in lines}


def test_every_process_has_a_unit() -> None:
    commands = {settings(unit)["ExecStart"].split()[1] for unit in UNITS}
    assert commands == {"init", "bridge", "worker", "relay", "alerts", "topology", "web"}


@of_each
def test_a_unit_starts_a_command_that_there_is(unit: Path) -> None:
    program, *words = settings(unit)["ExecStart"].replace("%i", "1").split()
    assert program == PROGRAM
    command_line(words)


@of_each
def test_a_process_is_given_the_time_to_end_and_started_again(unit: Path) -> None:
    found = settings(unit)
    if found.get("Type") == "oneshot":
        assert found["RemainAfterExit"] == "yes"
    else:
        assert 10 <= int(found["TimeoutStopSec"].removesuffix("s")) <= 30
        assert found["Restart"] == "always"
        assert found["StartLimitIntervalSec"] == "0"
        assert "transferscope-init.service" in found["Requires"]
        assert found["WantedBy"] == "transferscope.target"


def test_ports_of_health_pages_differ() -> None:
    ports = re.findall(r"--health-port (\S+)", "\n".join(unit.read_text() for unit in UNITS))
    assert ports
    assert len(set(ports)) == len(ports)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The units as they are installed, with a program that exists and an instance of the template."""
    folder = tmp_path_factory.mktemp("units")
    shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
    for path in list(folder.glob("*.service")):
        text = path.read_text().replace(PROGRAM, "/bin/true")
        path.write_text(text)
        if "@" in path.name:
            path.with_name(path.name.replace("@", "@1")).write_text(text)
    return folder


def test_systemd_understands_them(analyze: str, installed: Path) -> None:
    units = [str(path) for path in installed.glob("transferscope*") if path.is_file() and "@." not in path.name]
    ended = subprocess.run([analyze, "verify", "--man=no", *units], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ours(ended.stderr)) == (0, [])


def ours(lines: str) -> list[str]:
    """What is said of our units, not of those that the machine has."""
    return [line for line in lines.splitlines() if "transferscope" in line]


@of_each
def test_a_process_is_exposed_little(unit: Path, analyze: str, installed: Path) -> None:
    path = installed / unit.name.replace("@", "@1")
    ended = subprocess.run(
        [analyze, "security", "--offline=true", "--no-pager", str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"LC_ALL": "C"},
    )
    found = re.search(r"Overall exposure level for \S+: (\d+\.\d+)", ended.stdout)
    assert found is not None, ended.stderr
    assert float(found[1]) <= EXPOSURE
