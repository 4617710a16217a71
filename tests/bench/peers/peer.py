"""What every peer needs of the benchmark, standard library and orjson only: where things are, what a message says, how
far it is, and what came out. ``pipeline/cli/bench_peers.py`` sets the variables and reads the lines."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

import orjson

KAFKA = os.environ["PEER_KAFKA"]
TOPIC = os.environ["PEER_TOPIC"]
GROUP = os.environ["PEER_GROUP"]
DATABASE_URL = os.environ["PEER_DATABASE_URL"]
FOLDER = Path(os.environ["PEER_FOLDER"])
"""A new folder for each process of each run."""

WINDOW_MS = 600_000
_TELL_EVERY_S = 0.1

COUNTS = ("started", "ok", "failed", "aborted", "bytes", "paired")
"""What a window of a link holds."""

_STATES = {"Ok": "ok", "Error": "failed"}


class Link(NamedTuple):
    """Who moved data between which hosts."""

    vo: str
    src: str
    dst: str


class Start(NamedTuple):
    """A transfer that began: ``id`` tells its repetitions, ``transfer`` what it is a start of."""

    id: str
    at_ms: int
    transfer: tuple[int, str]
    link: Link


class Complete(NamedTuple):
    """A transfer that ended, in ``state`` ok, failed or aborted; ``began_ms`` is 0 if it was cancelled before."""

    id: str
    at_ms: int
    began_ms: int
    transfer: tuple[int, str]
    link: Link
    state: str
    bytes: int

    def follows(self, start_ms: int) -> bool:
        """Whether a start of the same transfer at that time is the one of this attempt."""
        return 0 < self.began_ms <= start_ms <= self.at_ms


def parse(body: bytes) -> Start | Complete:
    """What a message of FTS3 tells."""
    said: dict[str, Any] = orjson.loads(body)
    link = Link(said["vo"], said["src_hostname"], said["dst_hostname"])
    transfer = said["file_id"], said["job_id"]
    if "transfer_id" in said:
        return Start(said["transfer_id"], said["timestamp"], transfer, link)
    return Complete(
        said["tr_id"],
        said["tr_timestamp_complete"],
        said["tr_timestamp_start"],
        transfer,
        link,
        _STATES.get(said["t_final_transfer_state"], "aborted"),
        said["tr_bt_transfered"],
    )


def window_of(at_ms: int) -> int:
    """Where the window of an instant begins."""
    return at_ms - at_ms % WINDOW_MS


def counts_of(message: Start | Complete) -> tuple[int, int, int, int, int, int]:
    """What a message adds to its window, in the order of COUNTS; pairs are known to who joins."""
    if isinstance(message, Start):
        return 1, 0, 0, 0, 0, 0
    state = message.state
    return 0, int(state == "ok"), int(state == "failed"), int(state == "aborted"), message.bytes, 0


class Progress:
    """How many messages this process is done with; a thread of its own tells it ten times a second."""

    def __init__(self) -> None:
        self.done = 0
        """Those that have had all the effect that they are to have."""
        threading.Thread(target=self._tell, daemon=True).start()

    def _tell(self) -> None:
        told = 0
        while True:
            if (done := self.done) != told:
                os.write(1, f"progress {done}\n".encode())  # Faust takes sys.stdout for its log
                told = done
            time.sleep(_TELL_EVERY_S)


def write_windows(rows: list[list[int]]) -> None:
    """What came out of this process: ``[window, *COUNTS]`` each, of a link or summed up."""
    (FOLDER / "windows.json").write_bytes(orjson.dumps(rows))
