"""``export``: windows of a range into a file."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from pipeline.cli.errors import ConfigurationError
from pipeline.cli.options import json_option, range_options, with_settings
from pipeline.cli.output import say, write, write_json
from pipeline.cli.progress import Progress
from pipeline.cli.settings import Settings
from pipeline.store.queries.columns import Column
from pipeline.store.queries.errors import BadQuery
from pipeline.store.queries.export import export as windows_of
from pipeline.store.queries.instants import to_datetime
from pipeline.store.queries.question import Question, parse_condition, report_named
from pipeline.store.queries.reports import REPORTS, WIDTHS
from pipeline.store.session import connect
from pipeline.units import iso, moment

EXPORTED = tuple(report.name for report in REPORTS.values() if report.windows and not report.compares)
FORMATS = ("parquet", "csv")


@click.command()
@click.argument("report", type=click.Choice(EXPORTED))
@range_options
@click.option(
    "--where", multiple=True, metavar="CONDITION", help="Only these rows: vo=atlas, 'src_site~CERN*', 'failed>9'."
)
@click.option("--window", type=click.Choice(WIDTHS), default="10m", show_default=True, help="Width of the windows.")
@click.option("--stages", is_flag=True, help="Also count and mean of every stage.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="Without it told by the end of the file's name.")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The file, written anew.")
@json_option
@with_settings
def export(
    settings: Settings,
    /,
    report: str,
    from_ms: int | None,
    to_ms: int | None,
    where: tuple[str, ...],
    window: str,
    stages: bool,
    form: str | None,
    out: Path,
    as_json: bool,
) -> None:
    """Write windows of a range into a Parquet or CSV file, oldest first, with the columns of transferscope query.

    Reads while it writes, so any range fits into memory. A Parquet file tells unit and meaning of each column, and
    under the key transferscope the range, the conditions and the revision of the windows: two files of one revision
    are equal. The file appears when it is whole. Conditions are those of transferscope query.

    \b
    Examples:
      transferscope export links --from -1d --out links.parquet
      transferscope export channels --from 2026-11-01 --to 2026-12-01 --window 1d --where vo=cms --out november.csv
      transferscope export links --from -7d --window 1h --stages --out week.parquet --json
    """
    form = form or _form_of(out)
    now_ms = time.time_ns() // 1_000_000
    if from_ms is None:
        raise click.UsageError("an export needs a beginning: say --from TIME")
    if from_ms >= (to_ms := now_ms if to_ms is None else to_ms):
        raise BadQuery("the range is empty: --to must be later than --from")
    asked_for = report_named(report)
    if stages and not asked_for.stages:
        raise BadQuery(f"{report} have no stages: leave --stages out")
    question = Question(
        report=asked_for,
        now_ms=now_ms,
        from_ms=from_ms,
        to_ms=to_ms,
        width=window,
        where=tuple(parse_condition(asked_for, condition, now_ms) for condition in where),
        stages=stages,
    )
    with closing(connect(settings.need("database_url"), "transferscope export")) as connection:
        found = windows_of(connection, question)
        about = {
            "report": report,
            "from": iso(to_datetime(found.from_ms)),
            "to": iso(to_datetime(found.to_ms)),
            "window": window,
            "where": list(where),
            "revision": found.revision._asdict(),
            "generated_at": iso(to_datetime(now_ms)),
            "version": version("transferscope"),
        }
        with closing(found.rows), Progress("writing", "rows") as progress:
            _write(out, form, found.columns, progress.counting(found.rows), about)
    if as_json:
        write_json({"file": str(out), "format": form, "rows": progress.done, "size": out.stat().st_size, **about})
        return
    span = f"from {moment(to_datetime(found.from_ms))} before {moment(to_datetime(found.to_ms))}"
    say(f"wrote {progress.summary()} to {out}, windows of {window} {span}")


def _form_of(path: Path) -> str:
    form = path.suffix.removeprefix(".").lower()
    if form not in FORMATS:
        raise click.UsageError(f"{path} ends in neither .parquet nor .csv: say --format")
    return form


def _write(
    path: Path, form: str, columns: Sequence[Column], rows: Iterable[Sequence[Any]], about: Mapping[str, object]
) -> None:
    """All rows into a file beside the wanted one, which then takes its place."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        try:
            if form == "parquet":
                from pipeline.cli.parquet import write_parquet  # an optional package: CSV needs none

                write_parquet(part, columns, rows, about)
            else:
                with part.open("w", encoding="utf-8", newline="") as file:
                    write("csv", columns, rows, file)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written ({error.strerror or error}): name another file with --out"
        ) from error
