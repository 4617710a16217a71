"""``recompute``: rebuild windows after a correction of the topology or of a rule."""

from __future__ import annotations

from contextlib import closing, nullcontext

import click

from pipeline.cli.audited import audited
from pipeline.cli.cells import document, print_cells
from pipeline.cli.options import json_option, range_options, with_settings
from pipeline.cli.output import write_json
from pipeline.cli.progress import Steps
from pipeline.cli.settings import Settings
from pipeline.cli.topology_load import newest
from pipeline.store.queries.instants import to_datetime
from pipeline.store.recompute import recompute as rebuild
from pipeline.store.session import connect
from pipeline.units import count, iso


@click.command()
@range_options
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@json_option
@with_settings
def recompute(settings: Settings, /, from_ms: int | None, to_ms: int | None, dry_run: bool, as_json: bool) -> None:
    """Rebuild windows from the single transfers, with the newest topology, and show cells before and after.

    Whole days that the range touches are rebuilt, each in one transaction during which writers of that day wait;
    without a range all days whose single transfers are kept.

    \b
    Examples:
      transferscope recompute --from 2026-11-01 --to 2026-11-03 --dry-run
      transferscope recompute --from -7d
    """
    url = settings.need("database_url")
    begin, end = ("" if at is None else iso(to_datetime(at)) for at in (from_ms, to_ms))
    subject = f"from {begin or 'the oldest'} to {end or 'the newest'}"
    with (
        nullcontext() if dry_run else audited(url, "recompute", subject),
        closing(connect(url)) as connection,
        closing(connect(url)) as numbers,
        Steps("rebuilding", "days") as steps,
    ):
        report = rebuild(connection, numbers, newest(url), from_ms, to_ms, dry_run, steps.tell_step)
    if as_json:
        cells = [document(cell, "before", "after") for cell in report.examples]
        write_json({**report._asdict(), "examples": cells, "dry_run": dry_run})
        return
    shown = print_cells(report.examples, "before", "after")
    did = "would change" if dry_run else "changed"
    days = "1 day" if report.days == 1 else f"{count(report.days)} days"
    print(
        f"{days}: {count(report.rows)} transfers and starts {did} their places, "
        f"{count(report.changed)} of {count(report.cells)} cells {did}"
        f"{f', {shown} of them above' if shown else ''}"
    )
