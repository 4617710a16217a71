"""A real Prometheus with our files: it scrapes running processes, finds no target down and can use every rule."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.devstack.stack import Stack
from tests.support import postgres
from tests.support.commands import Commands
from tests.support.prometheus import program
from tests.support.promtool import RULES
from tests.support.scraped import address_of
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack

CONFIG = RULES.parent / "prometheus.yml"


class Prometheus:
    """A server over the committed files, with these targets."""

    def __init__(self, folder: Path, targets: dict[str, str]) -> None:
        (folder / "targets").mkdir()
        (folder / "rules").symlink_to(RULES)
        for name, address in targets.items():
            (folder / "targets" / f"{name}.yml").write_text(json.dumps([{"targets": [address]}]))
        # Names of compose are none here, and a test need not wait for a quarter of a minute.
        config = re.sub(r"^ +(?:- )?dns_sd_configs: .*\n", "", CONFIG.read_text(), flags=re.MULTILINE)
        config = re.sub(r"^alerting:\n(?: .*\n)+", "", config, flags=re.MULTILINE)
        (folder / "prometheus.yml").write_text(config.replace("15s", "1s").replace("10s", "1s"))
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._base = f"http://127.0.0.1:{free.getsockname()[1]}"
        self._log = (folder / "log").open("wb")
        self._process = subprocess.Popen(
            [
                program("prometheus"),
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={self._base.removeprefix('http://')}",
            ],
            stdout=self._log,
            stderr=self._log,
            cwd=folder,
        )

    def ask(self, path: str, **asked: str) -> Any:
        """The data of an answer of its API; None while it does not answer."""
        try:
            with urllib.request.urlopen(
                f"{self._base}/api/v1/{path}?{urllib.parse.urlencode(asked)}", timeout=10
            ) as it:
                return json.load(it)["data"]
        except OSError:
            assert self._process.poll() is None, Path(self._log.name).read_text()[-3000:]
            return None

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(20)
        self._log.close()


@pytest.fixture
def commands(stack: Stack, database_url: str, tmp_path: Path) -> Iterator[Commands]:
    commands = Commands({**stack.env(), postgres.VARIABLE: database_url}, tmp_path)
    commands("init")
    try:
        yield commands
    finally:
        commands.close()


def test_prometheus_scrapes_web_and_worker_and_can_use_every_rule(commands: Commands, tmp_path: Path) -> None:
    program("prometheus")
    running = {"web": commands.start("web", "--port", "0"), "worker": commands.start("worker")}
    targets = {name: address_of(process).removeprefix("http://") for name, process in running.items()}
    folder = tmp_path / "prometheus"
    folder.mkdir()
    prometheus = Prometheus(folder, targets)
    try:

        def scraped() -> list[dict[str, Any]]:
            active = (prometheus.ask("targets", state="active") or {}).get("activeTargets", [])
            ours = [target for target in active if target["labels"]["job"].startswith("transferscope-")]
            return ours if len(ours) == 2 and all(target["health"] != "unknown" for target in ours) else []

        for target in eventually(scraped, 60):
            assert (target["health"], target["lastError"]) == ("up", "")

        def evaluated() -> list[dict[str, Any]]:
            groups = (prometheus.ask("rules") or {}).get("groups", [])
            rules = [rule for group in groups for rule in group["rules"]]
            return rules if rules and all(rule["health"] != "unknown" for rule in rules) else []

        rules = eventually(evaluated, 60)
        assert len(rules) > 20
        assert {
            (rule["name"], rule["health"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"
        } == set()
        built = prometheus.ask("query", query="transferscope_build_info")["result"]
        assert {each["metric"]["process"] for each in built} == running.keys()
    finally:
        prometheus.close()
