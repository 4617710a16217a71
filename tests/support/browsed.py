"""What the pages show when a browser looks at them: a day of several VOs, hosts and outcomes, and the application."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread

import uvicorn
from fastapi import FastAPI

from pipeline.web.app import create_app
from pipeline.web.config import WebConfig
from pipeline.web.serving import Server
from tests.support.lines import COMPLETE, NOON_MS, START, complete, line, start
from tests.support.tokens import reads_and_operates

MINUTE = 60_000
NOW_MS = NOON_MS + 62 * MINUTE
"""Where the clock of the application begins: two minutes into a bin."""
HOSTILE = "<img src=x onerror=alert(1)>\"'javascript:x"
SOURCES = ("eoscms.cern.ch", "se1.desy.de", "storm.cnaf.infn.it", "xrootd.a-host-with-a-rather-long-name.example.ac.uk")
TARGETS = ("se1.desy.de", "se2.desy.de", "dcache.gridka.de", "gftp.t2.ucsd.edu", "eoscms.cern.ch")
VOS = ("cms", "atlas", "lhcb")


class Clock:
    """The application's clock, which stands still until a test moves it."""

    def __init__(self) -> None:
        self.now_ms = NOW_MS

    def __call__(self) -> float:
        return self.now_ms / 1000


@dataclass
class Site:
    """The application under test: its ``url``, an address (path and query) for each page route, its ``database``."""

    url: str
    addresses: dict[str, str]
    clock: Clock
    database: str


def application(database: str, clock: Clock) -> FastAPI:
    """The application over a database; its readers and operators have the tokens of ``reads_and_operates``."""
    config = WebConfig(database)
    return create_app(config, Server(config, clock=clock))


@contextmanager
def site_over(database: str) -> Iterator[Site]:
    """The application over a database, with the tokens of ``reads_and_operates``, behind a real socket."""
    reads_and_operates(database)
    clock = Clock()
    with served(application(database, clock)) as url:
        yield Site(url, {}, clock, database)


def traffic() -> list[str]:
    """Lines of a recorded file: every class of efficiency, few and many, an aborted one, starts without an end."""
    lines: list[str] = []
    for place, (source, target) in enumerate((s, t) for s in SOURCES for t in TARGETS if s != t):
        ends = {"src_hostname": source, "dst_hostname": target, "t_channel": f"{source}__{target}"}
        for number in range(4 + place % 3 * 6):
            at_ms = NOON_MS + (number * 7 + place) % 61 * MINUTE
            fields = ends | {"vo": VOS[(number + place) % len(VOS)]}
            if number % 20 < (0, 1, 4, 11, 20)[place % 5]:
                fields |= _failed(f"TRANSFER globus_ftp_client: no space left on {target} {HOSTILE}")
            lines.append(line(COMPLETE, complete(place * 100 + number, at_ms, **fields), at_ms + MINUTE))
    aborted = {"t_final_transfer_state": "Abort", "dst_hostname": "se9.desy.de"}
    lines.append(line(COMPLETE, complete(9001, NOON_MS + MINUTE, **aborted)))
    lines.append(line(COMPLETE, complete(9002, NOON_MS + MINUTE, vo=HOSTILE)))
    lines += [line(START, start(9100 + number, NOON_MS + number * MINUTE)) for number in range(3)]
    return lines


def _failed(message: str) -> dict[str, str]:
    return {"t_final_transfer_state": "Error", "tr_error_category": "EIO", "t__error_message": message}


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The application behind a real socket; gives its address."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        opened.listen()
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=5))
        thread = Thread(target=server.run, kwargs={"sockets": [opened]}, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the server ended at its start"
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{opened.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
