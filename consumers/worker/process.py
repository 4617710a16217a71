"""The operating system's side of the worker: signals, event loop, end."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import faust


def run(app: faust.App) -> BaseException | None:
    """Runs the app until SIGTERM or SIGINT, or until it crashes; returns what it crashed of. Leaves logging alone."""
    process = faust.Worker(
        app, quiet=True, override_logging=False, redirect_stdouts=False, loop=asyncio.new_event_loop()
    )
    process.spinner = None
    with suppress(SystemExit):
        process.execute_from_commandline()
    return process.crash_reason
