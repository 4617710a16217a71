"""``bench``: commands that measure. They print machine, settings and figures, and what ran beside them."""

from __future__ import annotations

from importlib import import_module

import click

BENCHES: dict[str, tuple[str, str]] = {
    "core": ("pipeline.cli.bench_core:core", "decode to deltas, no I/O, one core"),
    "bridge": ("pipeline.cli.bench_bridge:bridge", "ActiveMQ to Kafka, against plain stomp.py that only counts"),
    "ingest": ("pipeline.cli.bench_ingest:ingest", "Kafka to committed in Postgres, with 1 and 2 workers"),
    "end-to-end": ("pipeline.cli.bench_end_to_end:end_to_end", "published to ActiveMQ until visible in report"),
    "growth": ("pipeline.cli.bench_growth:growth", "the cost of a message with more rows, workers, links"),
    "soak": ("pipeline.cli.bench_soak:soak", "a day in less than an hour: what stays flat, with a picture"),
    "alerts": ("pipeline.cli.bench_alerts:alerts", "500 queues of 6 brokers, watched every 20 s"),
    "bulk": ("pipeline.cli.bench_bulk:bulk", "a recorded day into the store, and that day recomputed"),
    "readers": ("pipeline.cli.bench_readers:readers", "people at pages while a worker commits"),
    "reading": ("pipeline.cli.bench_reading:reading", "matrices and pages over a month of 15 000 links"),
    "peers": ("pipeline.cli.bench_peers:peers", "the worker against what people would take instead"),
}


class _Benches(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(BENCHES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in BENCHES:
            return None
        module, _, attribute = BENCHES[cmd_name][0].partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Benchmarks"):
            formatter.write_dl([(name, sentence) for name, (_, sentence) in BENCHES.items()])


@click.group(cls=_Benches)
def bench() -> None:
    """Measure transferscope on this machine; each figure is printed with the goal it must reach.

    \b
    Example:
      transferscope bench core
    """
