"""Python's cycle collector, tamed.

A batch makes a hundred thousand objects that live until its commit, and reference counts free nearly all of them. The
collector, started by the number of new objects, walks them again and again for nothing: a third of the processor time.
So it runs on a clock instead.
"""

from __future__ import annotations

import gc

EVERY_S = 10.0


def stop_automatic() -> None:
    """From now on only ``collect`` collects; what is there already stays for good."""
    gc.collect()
    gc.freeze()
    gc.disable()


def collect() -> None:
    """Free what only cycles keep alive."""
    gc.collect()
