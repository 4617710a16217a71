"""SIGTERM and Ctrl-C for processes whose main thread waits for an event."""

from __future__ import annotations

import _thread
import signal
import threading


def told_to_stop() -> threading.Event:
    """An event that SIGTERM and SIGINT set.

    In a thread of its own: a handler runs in the main thread, which may be inside the event's lock, and would wait for
    itself for ever.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: _thread.start_new_thread(stop.set, ()))
    return stop
