"""Three generic top-level names are safe only while nobody else owns them and nothing else is shipped."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("schemas", "pipeline", "consumers")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.mark.parametrize("package", OURS)
def test_exactly_one_distribution_owns_each_package(package: str) -> None:
    # An editable install lists the packages of its folder only through its .pth: no other owner may appear.
    assert set(packages_distributions().get(package, ["transferscope"])) == {"transferscope"}


def test_the_wheel_holds_the_three_packages_and_nothing_else(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(OURS)


@pytest.mark.parametrize("package", OURS)
def test_the_wheel_says_that_each_package_is_typed(package: str, wheel: Path) -> None:
    assert f"{package}/py.typed" in zipfile.ZipFile(wheel).namelist()


def test_the_wheel_ships_every_file_of_the_packages(wheel: Path) -> None:
    committed = subprocess.run(["git", "ls-files", *OURS], cwd=ROOT, check=True, capture_output=True, text=True)
    missing = set(committed.stdout.split()) - set(zipfile.ZipFile(wheel).namelist())
    assert not missing
