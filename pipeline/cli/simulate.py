"""``simulate``: traffic with known truth, to the broker or into a file."""

from __future__ import annotations

import time
from pathlib import Path

import click

from pipeline.cli.errors import ConfigurationError
from pipeline.cli.options import json_option, with_settings
from pipeline.cli.output import say, write_json
from pipeline.cli.progress import Progress
from pipeline.cli.settings import Settings
from pipeline.simulator import ALL, Simulation, Truth, write_jsonl
from pipeline.simulator import simulate as make_simulation
from pipeline.store.queries.instants import parse_instant, to_datetime
from pipeline.units import count, moment, scaled

HOUR_MS = 3_600_000


def _instant(context: click.Context, parameter: click.Parameter, written: str) -> int:
    return parse_instant(written, time.time_ns() // 1_000_000)


@click.command()
@click.option("--messages", default=20_000, show_default=True, type=click.IntRange(1), help="How many.")
@click.option("--rate", type=click.FloatRange(0, min_open=True), metavar="R", help="Publish at most so many a second.")
@click.option("--seed", default=1, show_default=True, help="Another seed, another story.")
@click.option(
    "--begin",
    "begin_ms",
    metavar="TIME",
    default="-2h",
    callback=_instant,
    show_default=True,
    help="When the hour begins: ISO 8601, -3h. The same seed and time give the same bytes.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write FILE for replay (.jsonl, .jsonl.gz or .jsonl.zst) instead of publishing.",
)
@click.option(
    "--truth",
    "truth_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write every window, pair and start in flight that must come out, as JSON.",
)
@click.option("--no-truth", is_flag=True, help="Only the messages: working out what must come out needs memory.")
@json_option
@with_settings
def simulate(
    settings: Settings,
    /,
    messages: int,
    rate: float | None,
    seed: int,
    begin_ms: int,
    out: Path | None,
    truth_file: Path | None,
    no_truth: bool,
    as_json: bool,
) -> None:
    """Simulate an hour of messages of all kinds, with retries, losses, repetitions and poison.

    Most are starts and completes of FTS; beside them it tells states of files, queues, and file accesses and
    third-party copies of xrootd. Subscribe the topics of those (see topics in deploy/transferscope.example.toml), or
    their messages reach nobody.

    They are published to the first broker of the settings, or written to a file with --out. What must come out is
    told from the script of the simulation, not from its messages.

    \b
    Examples:
      transferscope simulate --messages 100000 --rate 1000
      transferscope simulate --seed 7 --begin 2026-11-22T10:00Z --out hour.jsonl.zst --truth truth.json
    """
    if out and rate:
        raise click.UsageError("--rate is for publishing: leave it out with --out")
    if no_truth and truth_file:
        raise click.UsageError("--truth and --no-truth exclude each other: leave one out")
    simulation = make_simulation(messages, seed, begin_ms, HOUR_MS, ALL)
    done = _write(simulation, out) if out else _publish(simulation, settings, rate)
    truth = None if no_truth else simulation.truth()
    if truth and truth_file:
        _write_truth(truth, truth_file)
    if as_json:
        write_json(
            {
                "messages": done,
                "seed": seed,
                "begin": to_datetime(begin_ms),
                "out": str(out) if out else None,
                "truth": truth.summary() if truth else None,
            }
        )
        return
    where = f"to {out}" if out else "published"
    print(f"{count(done)} messages {where}: seed {seed}, an hour from {moment(to_datetime(begin_ms))} on")
    if truth:
        _tell(truth)


def _write(simulation: Simulation, path: Path) -> int:
    try:
        with Progress("writing", "messages", len(simulation)) as progress:
            written = write_jsonl(progress.counting(simulation), path)
    except OSError as error:
        raise _cannot_write(path, "--out", error) from error
    say(f"wrote {progress.summary()}")
    return written


def _write_truth(truth: Truth, path: Path) -> None:
    try:
        with path.open("w", encoding="utf-8") as file:
            write_json(truth.document(), file)
    except OSError as error:
        raise _cannot_write(path, "--truth", error) from error


def _cannot_write(path: Path, option: str, error: OSError) -> ConfigurationError:
    return ConfigurationError(f"{path} cannot be written ({error.strerror}): name another file with {option}")


def _tell(truth: Truth) -> None:
    """What must come out, in a few lines."""
    total = truth.total
    dead = ", ".join(f"{reason} {count(number)}" for reason, number in sorted(truth.dead.items()))
    print("in a new store this must give:")
    print(f"  messages     {count(truth.stored)} stored, {count(truth.duplicates)} duplicate")
    print(f"  dead letters {count(sum(truth.dead.values()))}{f' ({dead})' if dead else ''}")
    print(f"  transfers    {count(total.ok)} ok, {count(total.failed)} failed, {count(total.aborted)} aborted")
    paired, in_flight = count(len(truth.pairs)), count(len(truth.in_flight))
    print(f"  starts       {count(total.started)}: {paired} paired, {in_flight} in flight")
    print(f"  bytes        {scaled(total.bytes, 'B')}, of these {scaled(total.bytes_ok, 'B')} by ok transfers")
    print(f"  states       {count(truth.told_states)}, closing {count(len(truth.closed))} of the starts in flight")
    print(f"  queues       {count(len(truth.samples))} samples")
    for technology, window in sorted(truth.records.items()):
        print(f"  {technology:<12} {count(window.ok)} records of {scaled(window.bytes, 'B')}")


def _publish(simulation: Simulation, settings: Settings, rate: float | None) -> int:
    from consumers.bridge.publish import publish
    from pipeline.cli.brokers import brokers

    broker = brokers(settings)[0]
    with Progress("publishing", "messages", len(simulation)) as progress:
        published = publish(simulation, broker, rate=rate, progress=progress.advance)
    say(f"published {progress.summary()}")
    return published
