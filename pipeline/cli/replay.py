"""``replay``: recorded messages into the store, or back onto Kafka or the brokers."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import click

from pipeline.batches import batches
from pipeline.cli.errors import ANSWER_IS_NO
from pipeline.cli.options import json_option, with_settings
from pipeline.cli.output import say, write_json
from pipeline.cli.progress import Progress
from pipeline.cli.settings import Settings
from pipeline.cli.sinks import ELSEWHERE, Sink, store_sink
from pipeline.recording import BadLine, Recording
from schemas.envelope import RawMessage

SHOWN_BAD_LINES = 20
STORE = "store"
_MANY_BYTES = 16 * 2**20
"""From so many bytes of files on, as they are stored, starting further processes pays. A writer waits for PostgreSQL
much of its time, so there is one more than processors."""
_MOST_PROCESSES = 4


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--to", type=click.Choice([STORE, *ELSEWHERE]), default=STORE, show_default=True, help="Where they go.")
@click.option("--topic", metavar="TOPIC", help="The broker topic of the files that are a single message.")
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    help="How many write to the store at once.  [default: 1, for large files one more than processors, at most 4]",
)
@json_option
@with_settings
def replay(
    settings: Settings, /, files: tuple[Path, ...], to: str, topic: str | None, processes: int | None, as_json: bool
) -> None:
    """Replay recorded messages.

    A file is JSON lines, {"topic": "transfer.fts_monitoring_complete", "body": "…", "headers": {…}, "received":
    1795311600000} (body_base64 for bytes that are not UTF-8), plain or compressed with gzip or zstd. A file that
    begins otherwise is the body of one message as it was sent: --topic says what it is, else its fields (tr_id: a
    complete, transfer_id: a start, fts_id: a queue status, source_se: an optimizer message), else the word start,
    complete, queue or optimizer in its name.

    --to store needs only PostgreSQL and does what a worker does, dead letters included; what was there already counts
    as duplicate. --to kafka writes what the bridge would have written. --to activemq publishes to the first broker,
    as FTS does: there they are received now, and what is older than the retention becomes a dead letter.

    A line that is no recorded message is reported with file and line, the rest goes on, and the exit code is 1.

    \b
    Examples:
      transferscope replay recorded.jsonl.zst
      transferscope replay --processes 2 a-day-of-millions.jsonl.zst
      transferscope replay samples/fts3_complete_*.json
      transferscope replay --topic transfer.fts_monitoring_start body.txt
    """
    kinds = settings.kinds()
    if topic is not None and topic not in kinds:
        raise click.UsageError(f"--topic {topic} is not known: known are {', '.join(kinds)}")
    recordings = [Recording(path, kinds, topic) for path in files]
    bad = _BadLines()
    total: Counter[str] = Counter()
    size = sum(recording.size for recording in recordings)
    with _sink(settings, to, processes, size) as sink, Progress("replaying", "messages", size) as progress:
        before = 0
        for recording in recordings:
            for batch in batches(_messages(recording, bad), lambda message: len(message.body)):
                total.update(sink.put(batch))
                progress.advance(len(batch), before + recording.position)
            before += recording.size
            bad.end_of_file()
        total.update(sink.finish())
    if as_json:
        write_json({"files": len(files), **total, "bad_lines": bad.number})
    else:
        print(", ".join(f"{number} {what}" for what, number in {**total, "bad lines": bad.number}.items()))
        say(f"replayed {progress.summary()}")
        if total["dead"]:
            say("why messages are dead: transferscope query dead-letters --by reason")
    if bad.number:
        raise click.exceptions.Exit(ANSWER_IS_NO)


def _sink(settings: Settings, to: str, processes: int | None, size: int) -> AbstractContextManager[Sink]:
    if to == STORE:
        some = min((os.cpu_count() or 1) + 1, _MOST_PROCESSES) if size >= _MANY_BYTES else 1
        return store_sink(settings, processes or some)
    if processes is not None:
        raise click.UsageError(f"--processes is for --to {STORE}: leave it out")
    return ELSEWHERE[to](settings)


class _BadLines:
    """Counts what is no recorded message and tells of it, of the first ones in each file singly."""

    def __init__(self) -> None:
        self.number = 0
        self._in_file = 0

    def add(self, line: BadLine) -> None:
        self.number += 1
        self._in_file += 1
        if self._in_file <= SHOWN_BAD_LINES:
            say(str(line))

    def end_of_file(self) -> None:
        if self._in_file > SHOWN_BAD_LINES:
            say(f"… and {self._in_file - SHOWN_BAD_LINES} more such lines in this file")
        self._in_file = 0


def _messages(recording: Recording, bad: _BadLines) -> Iterator[RawMessage]:
    for item in recording:
        if isinstance(item, BadLine):
            bad.add(item)
        else:
            yield item
