"""A real Alertmanager of Prometheus, Debian's package: tests give it alerts and ask it what it has."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.devstack.plan import free_ports
from tests.support.debian import program
from tests.support.waiting import eventually

_SETTINGS = """\
route: {receiver: test, group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
receivers:
  - name: test
    webhook_configs: [{url: "%s", send_resolved: true}]
"""


class Alertmanager:
    """``url`` is where it takes alerts."""

    def __init__(self, url: str) -> None:
        self.url = url

    def alerts(self) -> list[dict[str, Any]]:
        """Those that it holds as active."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts?active=true", timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5):
                return True
        except OSError:
            return False


@contextmanager
def alertmanager(folder: Path, receiver: str) -> Iterator[Alertmanager]:
    """One that tells the webhook ``receiver``; raises debian.Missing where it cannot be had."""
    binary = program(("prometheus-alertmanager", "alertmanager"), ("prometheus-alertmanager",))
    (port,) = free_ports(1)
    settings = folder / "alertmanager.yml"
    settings.write_text(_SETTINGS % receiver)
    with (folder / "alertmanager.log").open("wb") as log:
        process = subprocess.Popen(
            [
                binary,
                f"--config.file={settings}",
                f"--storage.path={folder / 'alertmanager'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--cluster.listen-address=",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        server = Alertmanager(f"http://127.0.0.1:{port}")
        eventually(server.is_ready, 60)
        yield server
    finally:
        process.terminate()
        process.wait(20)
