"""A housekeeper as a process: made to be killed at any moment.

``python -m tests.support.housekeeping_program URL NOW_MS RAW_DAYS BASE_DAYS HOURLY_DAYS``.
"""

from __future__ import annotations

import sys

from pipeline.store.housekeeping import Housekeeper
from pipeline.store.retention import Retention


def main(url: str, now_ms: str, *days: str) -> None:
    """One run."""
    print(Housekeeper(url, Retention(*map(int, days)), lambda _: int(now_ms)).run(), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
