"""``bench core``: decode to deltas on one core, no I/O; beside it the same bodies merely parsed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import orjson

from pipeline.cli.bench_records import xrootd_records
from pipeline.cli.bench_report import BenchReport, Figure, print_report
from pipeline.cli.options import json_option
from pipeline.simulator import simulate
from pipeline.stages.decide import Known, decide
from pipeline.stages.decode import decode
from pipeline.stages.enrich import enrich
from pipeline.stages.template import template
from pipeline.topology.files import parse
from pipeline.topology.resolve import Topology
from schemas.envelope import RawMessage
from schemas.events import FAILED
from schemas.framing import strip_frame
from schemas.rules import Horizon
from schemas.topics import BROKER_TOPICS

_BATCH = 10_000
_BEGIN_MS = 1_795_300_000_000
_GOAL = 30_000
_RECORDS_GOAL = 60_000
_TEMPLATE_US = 20


@click.command()
@click.option("--messages", default=200_000, show_default=True, help="How many simulated messages.")
@click.option("--rounds", default=5, show_default=True, help="How often; the median counts.")
@click.option("--topology", type=click.Path(path_type=Path, exists=True), help="Enrich with this topology file.")
@json_option
def core(messages: int, rounds: int, topology: Path | None, as_json: bool) -> None:
    """Decode, enrich, dedupe, pair and fold simulated messages in batches of 10 000, in one process without I/O.

    Besides, decode xrootd records, a fourth as many, and find the templates of the failed transfers' messages.

    \b
    Example:
      transferscope bench core --messages 100000
    """
    places = Topology(parse(topology.read_bytes(), str(topology)).facts, 1) if topology else Topology.empty()
    recorded = [
        RawMessage(
            BROKER_TOPICS[message.topic], message.topic, message.body, message.headers, message.received_ms, "", ""
        )
        for message in simulate(messages, seed=1, begin_ms=_BEGIN_MS)
    ]
    batches = [recorded[start : start + _BATCH] for start in range(0, len(recorded), _BATCH)]
    records = xrootd_records(messages // 4)
    record_batches = [records[start : start + _BATCH] for start in range(0, len(records), _BATCH)]
    failed = [said for batch in batches for said in _error_messages(batch)]
    whole, beside, xrootd, templates = [], [], [], []
    for _ in range(rounds):
        beside.append(len(recorded) / _cpu_seconds(_parse_only, batches))
        whole.append(len(recorded) / _cpu_seconds(lambda batch: _decode_to_deltas(batch, places), batches))
        xrootd.append(len(records) / _cpu_seconds(lambda batch: decode(batch, Horizon()), record_batches))
        spent = _cpu_seconds(lambda texts: [template(text) for text in texts], [failed])
        templates.append(spent / max(len(failed), 1) * 1e6)
    rate, parse_rate = statistics.median(whole), statistics.median(beside)
    print_report(
        BenchReport(
            "core",
            {"messages": messages, "rounds": rounds, "batch": _BATCH, "topology": str(topology or "none")},
            [
                Figure("decode to deltas", rate, "messages/s of one core", goal=_GOAL),
                Figure("orjson.loads of the same bodies", parse_rate, "messages/s of one core"),
                Figure("ratio to orjson.loads", rate / parse_rate, ""),
                Figure("xrootd records decoded", statistics.median(xrootd), "records/s of one core", _RECORDS_GOAL),
                Figure("error template", statistics.median(templates), "µs a failed transfer", _TEMPLATE_US, True),
                Figure("slowest and fastest round", min(whole), f"to {max(whole):,.0f} messages/s"),
            ],
        ),
        as_json,
    )


def _decode_to_deltas(batch: Sequence[RawMessage], topology: Topology) -> None:
    decide(enrich(decode(batch, Horizon()), topology), Known([], [], [], set()))


def _error_messages(batch: Sequence[RawMessage]) -> list[str]:
    return [each.error_message for each in decode(batch, Horizon()).completes if each.state == FAILED]


def _parse_only(batch: Sequence[RawMessage]) -> None:
    for message in batch:
        with suppress(orjson.JSONDecodeError):  # the simulation holds some that are not JSON
            orjson.loads(strip_frame(message.body))


def _cpu_seconds(work: Callable[[Any], object], batches: Sequence[Any]) -> float:
    # Processor time of this process: other work on the machine does not count.
    begin = time.process_time()
    for batch in batches:
        work(batch)
    return time.process_time() - begin
