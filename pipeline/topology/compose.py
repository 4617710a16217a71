"""Files and dumps of any format in, the document to be stored out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from pipeline.topology.document import Document
from pipeline.topology.files import parse
from pipeline.topology.guard import refuse_collapse
from pipeline.topology.history import carry
from pipeline.topology.merge import merge
from pipeline.topology.model import Facts, TopologyError
from pipeline.topology.sources.formats import OWN, read
from pipeline.topology.sources.statement import Statement


class Dump(NamedTuple):
    """The content of a file or address; ``where`` is what the user calls it.

    ``form`` is the name of its format, "" to recognise it; ``vo`` the VO of endpoints that do not name theirs.
    """

    where: str
    content: bytes
    form: str = ""
    vo: str = ""


class Reading(NamedTuple):
    """A dump that was read: its format and what it states."""

    dump: Dump
    form: str
    said: Statement


class Composed(NamedTuple):
    """A topology to be stored, and one sentence for each thing that somebody should look at."""

    document: dict[str, Any]
    facts: Facts
    warnings: tuple[str, ...]


def reading(dump: Dump) -> Reading:
    """Read one dump, the dearest part of a load. Raises TopologyError."""
    return Reading(dump, *read(dump.content, dump.where, dump.form, dump.vo))


def compose(
    readings: Sequence[Reading], stored: dict[str, Any] | None, old: Facts, at_ms: int, force: bool = False
) -> Composed:
    """One topology out of dumps, earlier ones going before later ones, with the history of the one in use.

    ``stored`` is the document in use and ``old`` its facts; ``at_ms`` is when the dumps begin to hold. A single file
    of our own format states its own times and replaces what was. Raises TopologyError for what cannot be used, and,
    unless ``force``, for less than half of what is in use.
    """
    where = ", ".join(each.dump.where for each in readings)
    forms = [each.form for each in readings]
    notes = [f"{each.dump.where}: {note}" for each in readings for note in each.said.notes]
    if forms == [OWN]:
        document = json.loads(readings[0].dump.content)
    else:
        before = msgspec.convert(stored, Document) if stored else None
        # The names of files change from load to load, the formats do not.
        carried = carry(before, merge([each.said for each in readings]), at_ms, origin=", ".join(forms))
        document = msgspec.to_builtins(carried)
        document = {name: _without_defaults(part) for name, part in document.items()}
        if not document["sites"]:
            raise TopologyError(f"topology {where} can't be used: it places no host: name the other sources as well")
    parsed = parse(json.dumps(document).encode(), where)
    if not force:
        refuse_collapse(old, parsed.facts, at_ms, where)
    return Composed(document, parsed.facts, (*notes, *(f"{where}: {warning}" for warning in parsed.warnings)))


def _without_defaults(part: Any) -> Any:
    """Entries without their empty fields: a third of the size, and as people write them."""
    if not isinstance(part, list):
        return part
    return [{name: value for name, value in entry.items() if value not in (None, "", [], {})} for entry in part]
