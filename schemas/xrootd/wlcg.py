"""The generic file-monitoring record of WLCG, as CMSSW's successors and the OSG and Pelican collectors send it.

Its ``unique_id`` is drawn at random by the collectors, so it says nothing about whether two records are one.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from schemas import cleaning
from schemas.envelope import RawMessage
from schemas.events import Complete
from schemas.rules import Horizon
from schemas.xrootd.file_close import FileClose, file_close

_decode: Callable[[bytes], FileClose] = msgspec.json.Decoder(FileClose).decode


def parse(message: RawMessage, horizon: Horizon) -> list[Complete]:
    """The event of a WLCG record. Raises Malformed."""
    return [file_close(cleaning.decode_object(message.body, _decode, FileClose), message, horizon)]
