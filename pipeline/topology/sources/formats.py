"""All formats of topologies, and which of them a file has."""

from __future__ import annotations

from typing import Any

from pipeline.topology.files import parse
from pipeline.topology.model import TopologyError
from pipeline.topology.reading import Wrong, json_value, xml_root
from pipeline.topology.sources import (
    cric_domains,
    cric_rcsite,
    cric_se,
    ddmendpoint,
    gocdb,
    osg,
    own,
    phedex,
    rucio,
    scitags,
)
from pipeline.topology.sources.statement import Source, Statement

OWN = own.SOURCE.name
FORMATS: dict[str, Source] = {
    module.SOURCE.name: module.SOURCE
    for module in (scitags, phedex, rucio, gocdb, osg, ddmendpoint, cric_rcsite, cric_se, cric_domains, own)
}
"""By name, in the order in which they are tried; at most one fits a real dump."""

_XML = (b"<", b"\xef\xbb\xbf<", b"\xff\xfe<", b"\xfe\xff\x00<")


def read(content: bytes, where: str, form: str = "", vo: str = "") -> tuple[str, Statement]:
    """The name of the format, as named or else recognised, and what the file states.

    ``where`` is what the user calls the file, ``vo`` the VO of endpoints that do not name theirs. Raises
    TopologyError.
    """
    try:
        value = _value(content)
        source = FORMATS[form] if form else _recognised(value)
        if source is own.SOURCE:
            parse(content, where)
        return source.name, source.read(value, vo)
    except Wrong as error:
        raise TopologyError(f"topology {where} can't be used: {error}") from error


def _value(content: bytes) -> Any:
    if content.lstrip().startswith(_XML):
        return xml_root(content.lstrip())
    try:
        return json_value(content)
    except Wrong:
        lines = _json_lines(content)
        if lines is None:
            raise
        return lines


def _json_lines(content: bytes) -> list[Any] | None:
    """Several objects, one a line, as Rucio sends its lists; None for what is not that."""
    lines = [line for line in content.splitlines() if line.strip()]
    try:
        # In one piece a broken object begins many lines with "{" as well, but not all of them.
        return [json_value(line) for line in lines] if len(lines) > 1 and lines[0].startswith(b"{") else None
    except Wrong:
        return None


def _recognised(value: Any) -> Source:
    for source in FORMATS.values():
        if source.fits(value):
            return source
    tag = getattr(value, "tag", "")
    if isinstance(tag, str) and tag.lower().rpartition("}")[2] == "html":
        raise Wrong("it is a web page, such as servers send when something is wrong")
    raise Wrong(f"it has none of the formats {', '.join(sorted(FORMATS))}: name one with --as if it is one")
