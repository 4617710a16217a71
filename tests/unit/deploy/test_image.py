"""The image: what it is built from, what must not be in it, and how it ends and says that it is well."""

from __future__ import annotations

import http.server
import re
import shutil
import subprocess
import sys
import threading
import tomllib
from contextlib import suppress
from fnmatch import fnmatch
from importlib import metadata
from pathlib import Path

import pytest

from tests.support.left_out import PACKAGES, PATHS

ROOT = Path(__file__).resolve().parents[3]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
HEALTHY = ROOT / "deploy" / "image" / "healthy"
PORT = 8080


def instructions() -> list[tuple[str, str]]:
    """Each instruction with its arguments, lines joined, comments left out."""
    lines = [line for line in DOCKERFILE.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def said(word: str) -> list[str]:
    return [rest for found, rest in instructions() if found == word]


def locked(name: str) -> dict[str, str]:
    """Package, with version and marker, to its sums."""
    entries = re.split(r"\n(?=\S)", (ROOT / name).read_text().strip())
    return {entry.split(" \\\n")[0].strip(): " ".join(entry.split(" \\\n")[1:]) for entry in entries}


def names(lock: dict[str, str]) -> set[str]:
    return {entry.partition("==")[0] for entry in lock}


@pytest.mark.parametrize("part", ["requirements.runtime.lock", "requirements.build.lock"])
def test_a_lock_of_the_image_is_a_part_of_the_one_that_is_tested(part: str) -> None:
    everything, found = locked("requirements.lock"), locked(part)
    versions = {entry.partition(" ;")[0]: sums for entry, sums in everything.items()}
    assert found
    for entry, sums in found.items():
        assert "--hash=sha256:" in sums
        assert versions[entry.partition(" ;")[0]].split() == sums.split()


def test_the_runtime_has_every_dependency_and_none_of_the_extras() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = names(locked("requirements.runtime.lock"))
    assert {normal(each) for each in project["dependencies"]} <= found
    for extra, packages in project["optional-dependencies"].items():
        own = {normal(each) for each in packages}
        assert not own & found, extra


def normal(requirement: str) -> str:
    """The package's name as locks spell it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[><=~! ;]", requirement)[0]).lower()


def test_what_the_packages_weigh_leaves_the_image_below_its_bar() -> None:
    """Built, the image had 241 MB when the packages here had 205: there they have no symbols. It may have 250 MB."""
    weight = 0
    for name in names(locked("requirements.runtime.lock")) - set(PACKAGES):
        with suppress(metadata.PackageNotFoundError):  # for another system than this
            files = [Path(path.locate()) for path in metadata.files(name) or () if not is_left_out(str(path))]
            weight += sum(path.stat().st_size for path in files if path.exists())
    assert 150e6 < weight < 205e6 + 250e6 - 241e6


def is_left_out(path: str) -> bool:
    above = path.startswith("..") or any(path.startswith(f"{left}/") for left in PATHS)
    return above or "/tests/" in path or path.endswith(".pyi")


def test_the_base_is_pinned_by_its_digest_and_all_that_there_is_comes_from_it() -> None:
    (base,) = [each for each in said("ARG") if each.startswith("BASE=")]
    assert re.fullmatch(r"BASE=docker\.io/library/debian:[\w.-]+@sha256:[0-9a-f]{64}", base)
    assert said("FROM") == ["${BASE} AS build", "${BASE} AS root", "scratch"]


def test_only_checked_packages_are_installed() -> None:
    installs = [each for run in said("RUN") for each in run.split("&&") if "pip" in each and " install " in each]
    assert len(installs) == 3
    for install in installs[:2]:
        assert "--require-hashes" in install
        assert "--only-binary :all:" in install
    assert "--no-deps dist/*.whl" in installs[2]


def test_it_runs_as_nobody_special_and_ends_on_sigterm() -> None:
    user = said("USER")
    assert len(user) == 1
    assert re.fullmatch(r"\d{4,}:\d{4,}", user[0]), "a number: Kubernetes cannot know that a name is not root's"
    assert said("STOPSIGNAL") == ["SIGTERM"]
    assert said("ENTRYPOINT") == ['["transferscope"]']
    assert said("EXPOSE") == [str(PORT)]


def test_what_is_copied_is_there_and_not_ignored() -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert rules[0] == "*", "all is left out that is not named"
    for copied in said("COPY"):
        *sources, _ = [word for word in copied.split() if not word.startswith("--")]
        if "--from=" in copied:
            continue
        for source in sources:
            assert (ROOT / source).exists()
            assert not ignored(source, rules), source
    for path in ("tests/conftest.py", ".git/config", "deploy/secrets/pgpass", "pipeline/web/README.md"):
        assert ignored(path, rules), path


def ignored(path: str, rules: list[str]) -> bool:
    """The last rule that fits decides, for the path itself or a folder above it."""
    parts = path.split("/")
    above = ["/".join(parts[: count + 1]) for count in range(len(parts))]
    verdict = False
    for rule in rules:
        pattern = rule.lstrip("!").lstrip("/")
        fits = any(fnmatch(each, pattern) and each.count("/") == pattern.count("/") for each in above)
        if pattern.startswith("**/"):
            fits = any(fnmatch(part, pattern.removeprefix("**/")) for part in parts)
        if fits:
            verdict = not rule.startswith("!")
    return verdict


def test_the_rules_of_hadolint() -> None:
    program = shutil.which("hadolint", path=Path(sys.executable).parent)
    assert program is not None, "the dev extra has it"
    ended = subprocess.run([program, "--no-color", str(DOCKERFILE)], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_health_check_is_what_the_process_says(status: int, code: int, tmp_path: Path) -> None:
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/healthz"
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"PostgreSQL is away")

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is logged."""

    with http.server.HTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        ended = asked(server.server_port, tmp_path)
    assert ended.returncode == code
    assert ("PostgreSQL is away" in ended.stderr) == bool(code)


def test_the_health_check_fails_while_nothing_listens(tmp_path: Path) -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        free = server.server_port
    ended = asked(free, tmp_path)
    assert ended.returncode == 1
    assert "does not answer" in ended.stderr


def asked(port: int, folder: Path) -> subprocess.CompletedProcess[str]:
    """The program of the image, on another port than in the image."""
    program = HEALTHY.read_text()
    assert program.startswith("#!/usr/bin/python3 ")
    assert HEALTHY.stat().st_mode & 0o111
    assert f", {PORT}," in program
    copy = folder / "healthy.py"
    copy.write_text(program.replace(f", {PORT},", f", {port},"))
    return subprocess.run([sys.executable, "-IS", str(copy)], capture_output=True, text=True, timeout=30)
