"""A real Alertmanager of Prometheus, Debian's package: tests give it alerts and ask it what it has."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.devstack.plan import free_ports
from tests.support.certificates import Authority
from tests.support.debian import program
from tests.support.waiting import eventually

_SETTINGS = """\
route: {receiver: test, group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
receivers:
  - name: test
    webhook_configs: [{url: "%s", send_resolved: true}]
"""


USER, PASSWORD = "transferscope", "s3cret"
_GUARDED = """\
tls_server_config: {{cert_file: "{0.certificate}", key_file: "{0.key}"}}
basic_auth_users: {{transferscope: "$2b$04$HwuoNw1SW52wNJxuCFtGLOdKhxkundnjnktdbAB.ZWxssmYyPcGKW"}}
"""


class Alertmanager:
    """``url`` is where it takes alerts; ``context`` trusts it where it speaks TLS."""

    def __init__(self, url: str, context: ssl.SSLContext | None = None) -> None:
        self.url = url
        self._context = context

    def alerts(self) -> list[dict[str, Any]]:
        """Those that it holds as active."""
        found: list[dict[str, Any]] = json.loads(self._asked("/api/v2/alerts?active=true"))
        return found

    def is_ready(self) -> bool:
        try:
            self._asked("/-/ready")
        except OSError:
            return False
        return True

    def _asked(self, path: str) -> bytes:
        request = urllib.request.Request(self.url + path)
        request.add_header("Authorization", f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}")
        with urllib.request.urlopen(request, timeout=10, context=self._context) as answer:
            said: bytes = answer.read()
        return said


@contextmanager
def alertmanager(folder: Path, receiver: str, authority: Authority | None = None) -> Iterator[Alertmanager]:
    """One that tells the webhook ``receiver``; raises debian.Missing where it cannot be had.

    With an authority, which signs for 127.0.0.1, it speaks TLS and lets in USER alone.
    """
    binary = program(("prometheus-alertmanager", "alertmanager"), ("prometheus-alertmanager",))
    (port,) = free_ports(1)
    settings, guarded = folder / "alertmanager.yml", folder / "web.yml"
    settings.write_text(_SETTINGS % receiver)
    guarded.write_text("" if authority is None else _GUARDED.format(authority.pair("alertmanager", "127.0.0.1")))
    with (folder / "alertmanager.log").open("wb") as log:
        process = subprocess.Popen(
            [
                binary,
                f"--config.file={settings}",
                f"--storage.path={folder / 'alertmanager'}",
                f"--web.listen-address=127.0.0.1:{port}",
                f"--web.config.file={guarded}",
                "--cluster.listen-address=",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        scheme = "http" if authority is None else "https"
        trusting = ssl.create_default_context(cafile=str(authority.certificate)) if authority else None
        server = Alertmanager(f"{scheme}://127.0.0.1:{port}", trusting)
        eventually(server.is_ready, 60)
        yield server
    finally:
        process.terminate()
        process.wait(20)
