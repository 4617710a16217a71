"""``verify``: do the windows still say what the transfers below them say?"""

from __future__ import annotations

from contextlib import closing

import click

from pipeline.cli.cells import document, print_cells
from pipeline.cli.errors import ANSWER_IS_NO
from pipeline.cli.options import json_option, range_options, with_settings
from pipeline.cli.output import write_json
from pipeline.cli.progress import Steps
from pipeline.cli.settings import Settings
from pipeline.store.session import connect
from pipeline.store.verify import verify as compare
from pipeline.units import count, moment


@click.command()
@range_options
@json_option
@with_settings
def verify(settings: Settings, /, from_ms: int | None, to_ms: int | None, as_json: bool) -> None:
    """Recompute windows from the single transfers and compare every cell. Writers may go on meanwhile.

    Whole days that the range touches are compared, as far back as single transfers are kept; without a range all of
    them. Exit code 1 when a cell differs.

    \b
    Examples:
      transferscope verify
      transferscope verify --from -2d --json
    """
    with closing(connect(settings.need("database_url"))) as connection, Steps("comparing", "days") as steps:
        report = compare(connection, from_ms, to_ms, steps.tell_step)
    if as_json:
        write_json(
            {
                "window_from": report.window_from,
                "window_to": report.window_to,
                "cells": report.cells,
                "differing": report.differing,
                "examples": [document(cell, "stored", "recomputed") for cell in report.examples],
            }
        )
    else:
        shown = print_cells(report.examples, "stored", "recomputed")
        verdict = f"{count(report.differing)} differ, {shown} of them above" if report.differing else "all equal"
        between = f"from {moment(report.window_from)} to {moment(report.window_to)}"
        print(f"{count(report.cells)} cells {between} compared: {verdict}")
    if report.differing:
        raise click.exceptions.Exit(ANSWER_IS_NO)
