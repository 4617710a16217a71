"""What happens in the simulated world: files, each moved in one or more attempts, with all their times.

This is the known truth. Nothing here knows how a message spells it (``wire``), what goes wrong on the way (``faults``)
or how it is counted (``truth``).
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from functools import lru_cache
from random import Random
from time import gmtime, strftime
from typing import NamedTuple
from uuid import UUID

from pipeline.simulator.failures import (
    CANCELED,
    CANCELED_BEFORE_START,
    FINALIZATION,
    PREPARATION,
    TRANSFER,
    Failure,
    pick_failure,
)
from pipeline.simulator.spelling import spell_host
from pipeline.simulator.world import ACTIVITIES, Link, World

OK, FAILED, ABORTED = "ok", "failed", "aborted"

FIRST_FILE_ID = 2_200_000_000
LARGEST_FILE = 10 * 1000**4
LONGEST_STREAM_MS = 6 * 3_600_000
ATTEMPTS_MAX = 4
RETRY_WAIT_MS = 120_000
"""Attempts of one file lie further apart than the minute in which a start and a complete are taken for a pair."""

Span = tuple[int, int]
"""Begin and end of a stage in ms since the epoch; 0 where that end was not reached."""

NEVER: Span = (0, 0)


class Era(Enum):
    """Who wrote the message: FTS2 with one of its two sets of fields, FTS3, or FTS3 by way of CERN's MONIT."""

    FTS2_2011 = "2011"
    FTS2_2012 = "2012"
    FTS3 = "fts3"
    MONIT = "monit"

    @property
    def is_fts2(self) -> bool:
        return self in (Era.FTS2_2011, Era.FTS2_2012)


class File(NamedTuple):
    """A file to be moved. ``src_name`` and ``dst_name`` are the hosts as messages spell them, ``src_host`` and
    ``dst_host`` what they mean; ``noise`` is 64 random bits for names, checksums and the like."""

    era: Era
    link: Link
    fts: str
    channel: str
    src_name: str
    dst_name: str
    src_host: str
    dst_host: str
    activity: str
    job_id: str
    file_id: int
    size: int
    noise: int


class Attempt(NamedTuple):
    """One attempt to move a file. Times in ms, bytes as moved.

    ``reported_ms`` is when its start message was made, 0 when there was none; ``begin_ms`` and ``end_ms`` bound the
    whole process as far as the messages of its era tell, else 0; ``event_ms`` is when it ended.
    """

    file: File
    number: int
    state: str
    failure: Failure | None
    start_id: str
    complete_id: str
    agent: str
    reported_ms: int
    begin_ms: int
    end_ms: int
    event_ms: int
    streaming: Span
    srm_prep: Span
    srm_fin: Span
    checksum_src: Span
    checksum_dst: Span
    bytes: int


class _Course(NamedTuple):
    """How an attempt went: its stages, when it ended, and the share of its bytes that was moved."""

    streaming: Span
    srm_prep: Span
    srm_fin: Span
    checksum_src: Span
    checksum_dst: Span
    end_ms: int
    moved: float


class Script:
    """Writes the story of one file after the other; the same ``rng`` state gives the same story."""

    def __init__(self, rng: Random, world: World) -> None:
        self._rng = rng
        self._world = world
        self._files = 0
        self._attempts = 0
        self._job_id = ""

    def next_file(self, begin_ms: int, era: Era) -> Iterator[Attempt]:
        """The attempts of the next file, in order; the first begins at ``begin_ms``."""
        file = self._file(era)
        number = 0
        while True:
            attempt = self._attempt(file, number, begin_ms)
            yield attempt
            number += 1
            if attempt.state != FAILED or number == ATTEMPTS_MAX or self._rng.random() < 0.4:
                return
            begin_ms = attempt.event_ms + RETRY_WAIT_MS + int(self._rng.random() * 300_000)

    def _file(self, era: Era) -> File:
        rng = self._rng
        link = self._world.pick(rng)
        self._files += 1
        if not self._job_id or rng.random() < 0.35:
            self._job_id = str(UUID(int=rng.getrandbits(128), version=4))
        src_name, src_host = spell_host(rng, link.src.name)
        dst_name, dst_host = spell_host(rng, link.dst.name)
        size = min(int(rng.lognormvariate(19.8, 1.6)), LARGEST_FILE)
        return File(
            era=era,
            link=link,
            fts="fts-pilot-service.cern.ch" if era.is_fts2 else link.instances[rng.random() < 0.1],
            channel=f"{link.src.label}-{link.dst.label}" if era.is_fts2 else f"{link.src.name}__{link.dst.name}",
            src_name=src_name,
            dst_name=dst_name,
            src_host=src_host,
            dst_host=dst_host,
            activity=rng.choice(ACTIVITIES[link.vo]),
            job_id=self._job_id,
            file_id=FIRST_FILE_ID + self._files,
            size=0 if rng.random() < 0.002 else size,
            noise=rng.getrandbits(64),
        )

    def _attempt(self, file: File, number: int, begin_ms: int) -> Attempt:
        rng = self._rng
        self._attempts += 1
        state, failure = _outcome(rng)
        if failure is CANCELED_BEFORE_START and not file.era.is_fts2:
            return _cancelled_before_start(file, number, failure, begin_ms)
        course = _course(rng, file, begin_ms, failure)
        if file.era.is_fts2:
            course, begin_ms = _in_whole_seconds(course), _second(begin_ms)
        elif state == OK and rng.random() < 0.001:
            course = _with_a_wrong_clock(rng, course)
        reported_ms = _report_time(rng, file.era, begin_ms, course.end_ms)
        event_ms = course.end_ms
        if file.era is Era.FTS2_2011:
            stages = (course.streaming, course.srm_prep, course.srm_fin, course.checksum_src, course.checksum_dst)
            event_ms = max(max(stage) for stage in stages)
            begin_ms = 0
        start_id, complete_id = self._ids(file, reported_ms, event_ms)
        return Attempt(
            file=file,
            number=number,
            state=state,
            failure=failure,
            start_id=start_id,
            complete_id=complete_id,
            agent=f"fts{500 + file.noise % 20}.cern.ch" if file.era.is_fts2 else "",
            reported_ms=reported_ms,
            begin_ms=begin_ms,
            end_ms=0 if file.era is Era.FTS2_2011 else event_ms,
            event_ms=event_ms,
            streaming=course.streaming,
            srm_prep=course.srm_prep,
            srm_fin=course.srm_fin,
            checksum_src=course.checksum_src,
            checksum_dst=course.checksum_dst,
            bytes=int(file.size * course.moved),
        )

    def _ids(self, file: File, reported_ms: int, event_ms: int) -> tuple[str, str]:
        """Ids of start and complete. FTS3 puts the minute of the call into each, FTS2 made one id per attempt."""
        if file.era.is_fts2:
            transfer_id = f"{file.channel}__{_minute(reported_ms // 60_000)}_{self._attempts:06x}"
            return transfer_id, transfer_id
        tail = f"__{file.link.src.name}__{file.link.dst.name}__{file.file_id}__{file.job_id}"
        return _minute(reported_ms // 60_000) + tail, _minute(event_ms // 60_000) + tail


def _outcome(rng: Random) -> tuple[str, Failure | None]:
    chance = rng.random()
    if chance < 0.85:
        return OK, None
    if chance < 0.975:
        return FAILED, pick_failure(rng)
    return ABORTED, CANCELED if chance < 0.99 else CANCELED_BEFORE_START


def _cancelled_before_start(file: File, number: int, failure: Failure, at_ms: int) -> Attempt:
    """FTS reports such an attempt as complete with a process start of 0, and sends no start."""
    tail = f"__{file.link.src.name}__{file.link.dst.name}__{file.file_id}__{file.job_id}"
    complete_id = _minute(at_ms // 60_000) + tail
    return Attempt(
        file, number, ABORTED, failure, "", complete_id, "", 0, 0, at_ms, at_ms, NEVER, NEVER, NEVER, NEVER, NEVER, 0
    )


def _course(rng: Random, file: File, begin_ms: int, failure: Failure | None) -> _Course:
    chance = rng.random
    phase = failure.phase if failure else None
    prep_begin = begin_ms + 40 + int(chance() * 400)
    checksum_src = (prep_begin, prep_begin + int(chance() * 4000)) if chance() < 0.3 else NEVER
    slow = 40_000 if file.link.src.scheme == "srm" or file.link.dst.scheme == "srm" else 1500
    prep_end = max(prep_begin, checksum_src[1]) + int(chance() ** 3 * slow)
    if phase == PREPARATION:
        srm_prep = (prep_begin, prep_end if chance() < 0.3 else 0)
        return _Course(NEVER, srm_prep, NEVER, checksum_src, NEVER, prep_end + 30 + int(chance() * 500), 0.0)
    srm_prep = (prep_begin, prep_end)
    rate = rng.lognormvariate(17.5, 1.1)
    stream_end = prep_end + min(150 + int(chance() * 800 + file.size * 1000 / rate), LONGEST_STREAM_MS)
    if phase == TRANSFER:
        moved = chance()
        stream_end = prep_end + int((stream_end - prep_end) * moved)
        streaming = (prep_end, stream_end if chance() < 0.4 else 0)
        return _Course(streaming, srm_prep, NEVER, checksum_src, NEVER, stream_end + int(chance() * 3000), moved)
    streaming = (prep_end, stream_end)
    fin_end = stream_end + int(chance() ** 3 * slow)
    if phase == FINALIZATION:
        srm_fin = (stream_end, 0)
        return _Course(streaming, srm_prep, srm_fin, checksum_src, NEVER, fin_end + int(chance() * 500), 1.0)
    checksum_dst = (fin_end, fin_end + int(chance() * 2500)) if chance() < 0.7 else NEVER
    end_ms = max(fin_end, checksum_dst[1]) + 20 + int(chance() * 600)
    return _Course(streaming, srm_prep, (stream_end, fin_end), checksum_src, checksum_dst, end_ms, 1.0)


def _with_a_wrong_clock(rng: Random, course: _Course) -> _Course:
    """The storage's clock spoils the streaming interval: it begins in 1970, or ends well after the whole process."""
    begin, end = course.streaming
    if rng.random() < 0.5:
        return course._replace(streaming=(1 + int(rng.random() * 1_000_000), end))
    return course._replace(streaming=(begin, course.end_ms + 61_000 + int(rng.random() * 600_000)))


def _report_time(rng: Random, era: Era, begin_ms: int, end_ms: int) -> int:
    """A start message is made just after the process began; a few on loaded hosts more than a minute later."""
    if era.is_fts2:
        return begin_ms
    delay = 61_000 + int(rng.random() * 40_000) if rng.random() < 0.02 else int(rng.random() * 2000)
    return min(begin_ms + delay, end_ms)


def _second(instant_ms: int) -> int:
    """FTS2 wrote milliseconds and knew seconds."""
    return instant_ms // 1000 * 1000


def _in_whole_seconds(course: _Course) -> _Course:
    return _Course(
        streaming=_span_in_seconds(course.streaming),
        srm_prep=_span_in_seconds(course.srm_prep),
        srm_fin=_span_in_seconds(course.srm_fin),
        checksum_src=_span_in_seconds(course.checksum_src),
        checksum_dst=_span_in_seconds(course.checksum_dst),
        end_ms=_second(course.end_ms),
        moved=course.moved,
    )


def _span_in_seconds(span: Span) -> Span:
    return _second(span[0]), _second(span[1])


@lru_cache(maxsize=4096)
def _minute(minutes: int) -> str:
    return strftime("%Y-%m-%d-%H%M", gmtime(minutes * 60))
