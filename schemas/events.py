"""Our own events: what starts, completes and xrootd records say, cleaned, typed, with units. ms since the epoch, bytes.

Text that a message does not carry is ``""``; times and durations that did not happen are ``None``.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

FTS, XROOTD, XROOTD_TPC = "fts", "xrootd", "xrootd-tpc"
"""The technologies: transfers that FTS tells of, xrootd file accesses, xrootd third-party copies."""

READ, WRITE, UNKNOWN_DIRECTION = "read", "write", "unknown"
"""What a client did with a file; ``""`` for FTS."""

OK, FAILED, ABORTED = "ok", "failed", "aborted"

INTERVAL_USED, INTERVAL_NONE, INTERVAL_EMPTY, INTERVAL_IGNORED = 0, 1, 2, 3
"""What became of a streaming interval: spread over it, none sent, empty, or not believable."""

STAGES: tuple[str, ...] = (
    "streaming",
    "total",
    "srm_prep",
    "srm_fin",
    "checksum_src",
    "checksum_dst",
    "throughput",
)
"""The measures with a histogram, in the order of their columns: durations in ms, throughput in bytes/s."""


class Side(msgspec.Struct, gc=False, frozen=True):
    """One end of a transfer, as far as the message tells."""

    host: str
    url: str
    rse: str
    token: str


class QueueSample(NamedTuple):
    """What one link of a queue holds at an instant: jobs of a queue status, files of an optimizer message.

    ``""`` stands for none: ``vo`` and ``channel`` in an optimizer message, both hosts in the total of a channel.
    ``ratio`` is active to the channel's limit in %, as sent; None, as in the counts, is unknown.
    """

    vo: str
    channel: str
    src_host: str
    dst_host: str
    active: int | None
    ready: int | None
    ratio: float | None
    channel_type: str

    @property
    def rank(self) -> tuple[int, int, float, str]:
        """Of two samples of one key that with the larger rank counts: the larger (active, ready), unknown the least."""
        active, ready, ratio = (-1 if value is None else value for value in (self.active, self.ready, self.ratio))
        return int(active), int(ready), ratio, self.channel_type


class QueueReport(msgspec.Struct, gc=False):
    """What an FTS instance said of its queues at an instant, ``event_ms`` (queue status and optimizer messages).

    ``samples`` hold each key (VO, channel, hosts) once; there may be none. ``dedupe`` with ``event_ms`` says which
    message it is: instance, time and the keys of its samples, as sets.
    """

    fts: str
    event_ms: int
    received_ms: int
    source: str
    ref: str
    dedupe: int
    samples: list[QueueSample]


class Start(msgspec.Struct, gc=False):
    """A transfer began (FTS start message).

    ``source`` is who is heard: the FTS instance, else the broker topic. ``key_hash`` and ``key_order`` stand for the
    transfer key (``schemas.keys``), ``dedupe`` with ``event_ms`` for the dedupe key.
    """

    key_hash: int
    key_order: int
    fts: str
    agent: str
    transfer_id: str
    job_id: str
    file_id: str
    vo: str
    activity: str
    channel: str
    src: Side
    dst: Side
    event_ms: int
    received_ms: int
    source: str
    ref: str
    dedupe: int


class Complete(msgspec.Struct, gc=False):
    """A transfer attempt, file access or third-party copy ended. ``durations`` follow STAGES, throughput last.

    ``user`` is what the message says of the user; it is stored as a keyed hash and never in clear.
    """

    key_hash: int
    key_order: int
    fts: str
    agent: str
    transfer_id: str
    job_id: str
    file_id: str
    vo: str
    activity: str
    channel: str
    src: Side
    dst: Side
    event_ms: int
    received_ms: int
    source: str
    ref: str
    dedupe: int
    state: str
    bytes: int
    file_size: int | None
    started_ms: int | None
    never_pairs: bool
    interval: int
    moved_from_ms: int
    moved_to_ms: int
    durations: tuple[int | None, ...]
    channel_type: str
    protocol: str
    ipver: str
    error_scope: str
    error_phase: str
    error_category: str
    error_code: str
    error_message: str
    retry: int | None
    retry_max: int | None
    technology: str
    direction: str
    user: str


class StateChange(msgspec.Struct, gc=False):
    """A file of a job reached a state (FTS state message). ``dedupe`` with ``event_ms`` is its dedupe key.

    ``wait_ms``: of an ACTIVE one, how long the file had been ready to run, since its submission or, if later, the end
    of its staging. ``staging_ms``: of an ACTIVE one, how long it was brought from tape. Each is told once an attempt.
    """

    key_hash: int
    key_order: int
    fts: str
    job_id: str
    file_id: str
    vo: str
    src_host: str
    dst_host: str
    event_ms: int
    received_ms: int
    source: str
    ref: str
    dedupe: int
    state: str
    job_state: str
    reason: str
    submitted_ms: int | None
    wait_ms: int | None
    staging_ms: int | None
    retry: int | None
