"""A process that ingests a recorded file in batches and says after each how many messages are committed.

``python -m tests.support.ingest_program URL FILE BATCH``: made to be killed at any moment.
"""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

from pipeline.batches import batches
from pipeline.ingest import Ingest
from pipeline.recording import Recording
from schemas.envelope import RawMessage
from schemas.topics import BROKER_TOPICS


def main(url: str, file: str, most: str) -> None:
    """Ingest the whole file from its beginning."""
    messages = (message for message in Recording(Path(file), BROKER_TOPICS) if isinstance(message, RawMessage))
    committed = 0
    with closing(Ingest(url)) as ingest:
        for batch in batches(messages, lambda message: 1, int(most)):
            committed += ingest.process(batch).received
            print(committed, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
