"""The log of a process that stays up: one line an event on stderr, as text or as JSON, in UTC.

What an event tells beside its sentence are fields (``extra=``). Text of others is shown with its control characters as
escapes, so no message can end a line, forge one or move the cursor.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pipeline.cli.terminal import safe
from pipeline.units import iso

FORMATS = ("text", "json")
OURS = ("consumers", "pipeline")
_USUAL = frozenset([*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"])


def set_up(form: str, *, verbose: bool = False, libraries: Sequence[str] = ()) -> None:
    """Begin to log; ``form`` is one of FORMATS. ``verbose`` has a line for every batch, and the words of ``libraries``.

    Otherwise these have none: what matters of them comes as an exception, and once.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.captureWarnings(True)
    if verbose:
        for name in OURS:
            logging.getLogger(name).setLevel(logging.DEBUG)
        return
    warnings.simplefilter("ignore")
    for name in libraries:
        logging.getLogger(name).setLevel(logging.CRITICAL)


class TextLines(logging.Formatter):
    """``2026-11-27T12:00:00.123Z INFO consumers.bridge.link: sentence, name=value``; a trace is indented below."""

    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f", {name}={_short(value)}" for name, value in _fields(record).items())
        line = f"{_time(record)} {record.levelname} {record.name}: {record.getMessage()}{fields}"
        return "\n    ".join(safe(each) for each in (line, *_trace(self, record).splitlines()))


class JsonLines(logging.Formatter):
    """An object a line: ``time``, ``level``, ``logger``, ``message``, the fields, and ``trace`` of an exception."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if trace := _trace(self, record):
            told["trace"] = trace
        # In ASCII: so nothing in it is a control character, but one that JSON leaves as it is.
        return json.dumps(told, default=str).replace("\x7f", "\\u007f")


def _time(record: logging.LogRecord) -> str:
    return iso(datetime.fromtimestamp(int(record.created), UTC)).removesuffix("Z") + f".{int(record.msecs):03}Z"


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _USUAL}


def _short(value: object) -> str:
    text = str(value)
    return json.dumps(text) if " " in text else text


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    return formatter.formatException(record.exc_info) if record.exc_info else ""
