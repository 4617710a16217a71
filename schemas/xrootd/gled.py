"""GLED's file-close record (xrdpop), and the same as MONIT stores it.

Every value was text; what broke it as JSON until August 2014 is mended: single quotes and ``=`` for ``:`` (2012),
and the apostrophe of a name that was turned into a double quote.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from schemas import cleaning
from schemas.deadletters import Malformed
from schemas.envelope import RawMessage
from schemas.events import Complete
from schemas.framing import strip_frame
from schemas.rules import Horizon
from schemas.xrootd.file_close import FileClose, file_close

_decode: Callable[[bytes], FileClose] = msgspec.json.Decoder(FileClose).decode
# A name, its value up to the quote behind which the next name or the end comes.
_PAIR = re.compile(
    r"""\s*['"](\w+)['"]\s*[:=]\s*['"](.*?)['"]\s*(?:,(?=\s*['"]\w+['"]\s*[:=])|(?=\}\s*$))""", re.DOTALL
)


def parse(message: RawMessage, horizon: Horizon) -> list[Complete]:
    """The event of a GLED record. Raises Malformed."""
    try:
        wire = cleaning.decode_object(message.body, _decode, FileClose)
    except Malformed as problem:
        fields = _mended(message.body) if problem.reason == "not_json" else None
        if fields is None:
            raise
        wire = msgspec.convert(fields, FileClose)
    return [file_close(wire, message, horizon)]


def _mended(body: bytes) -> dict[str, str] | None:
    """The pairs of a flat object of quoted text in the spellings of 2012 to 2014; None when it is none."""
    said = strip_frame(body).decode("utf-8", "replace")
    if not said.startswith("{"):
        return None
    fields, position = {}, 1
    while pair := _PAIR.match(said, position):
        fields[pair[1]] = cleaning.storable(pair[2])
        position = pair.end()
    return fields if fields and said[position:].strip() == "}" else None
