"""The operating system's side of the worker: signals, event loop, end."""

from __future__ import annotations

import asyncio

import faust


def run(app: faust.App) -> BaseException | None:
    """Runs the app until SIGTERM or SIGINT, or until it crashes; returns what it crashed of. Leaves logging alone."""
    process = faust.Worker(app, quiet=True, override_logging=False, redirect_stdouts=False, loop=_new_loop())
    process.spinner = None
    try:
        process.execute_from_commandline()
    except SystemExit as end:
        # Faust exits by itself: with 0 after a signal, else while it handles what went wrong.
        return process.crash_reason or (end.__context__ if end.code else None)
    raise AssertionError("it exits")


def _new_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    return loop
