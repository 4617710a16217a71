"""The thread for work that waits: order, results, errors, and an end that nothing can hold up."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from functools import partial

import pytest

from consumers.thread import WorkThread


def test_calls_are_done_in_order_by_one_thread_beside_the_event_loop() -> None:
    async def work() -> list[tuple[int, int]]:
        thread = WorkThread("test")
        done: list[tuple[int, int]] = []

        def note(number: int) -> None:
            done.append((number, threading.get_ident()))

        await asyncio.gather(*(thread.run(partial(note, number)) for number in range(20)))
        thread.close(lambda: None)
        return done

    done = asyncio.run(work())
    assert [n for n, _ in done] == list(range(20))
    assert len({ident for _, ident in done}) == 1
    assert done[0][1] != threading.get_ident()


def test_what_a_call_raises_reaches_whoever_waits_and_the_next_call_is_done() -> None:
    def fails() -> None:
        raise ValueError("no")

    async def work() -> int:
        thread = WorkThread("test")
        with pytest.raises(ValueError, match="no"):
            await thread.run(fails)
        return await thread.run(lambda: 5)

    assert asyncio.run(work()) == 5


def test_the_last_call_is_done_after_all_others() -> None:
    done: list[str] = []
    ended = threading.Event()

    def last() -> None:
        done.append("last")
        ended.set()

    async def work() -> None:
        thread = WorkThread("test")
        first = asyncio.create_task(thread.run(partial(done.append, "call")))
        await asyncio.sleep(0)
        thread.close(last)
        await first

    asyncio.run(work())
    assert ended.wait(10)
    assert done == ["call", "last"]


def test_a_call_that_hangs_does_not_keep_the_process() -> None:
    program = (
        "import asyncio, threading\n"
        "from consumers.thread import WorkThread\n"
        "async def main():\n"
        "    thread = WorkThread('test')\n"
        "    asyncio.ensure_future(thread.run(threading.Event().wait))\n"
        "    await asyncio.sleep(0.05)\n"
        "asyncio.run(main())\n"
        "print('ended')\n"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=True)
    assert said.stdout == "ended\n"
