"""Our own format: the one whose entries state their own times."""

from __future__ import annotations

from typing import Any

import msgspec

from pipeline.topology.document import Document
from pipeline.topology.sources.statement import Source, Statement, mapping

_PARTS = ("sites", "hosts", "domains", "endpoints")


def _fits(content: Any) -> bool:
    # A document that lacks a part is still ours: files.parse says what is wrong with it.
    known = mapping(content)
    return "format" in known or any(isinstance(known.get(part), list) for part in _PARTS)


def _read(content: Any, vo: str) -> Statement:
    known = msgspec.convert(content, Document)
    return Statement(
        *(tuple(known.sites), tuple(known.hosts), tuple(known.domains), tuple(known.endpoints)),
        experiments=tuple(known.experiments),
        dated=True,
    )


SOURCE = Source("transferscope", _fits, _read)
