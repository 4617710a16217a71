"""GOCDB, ``public/?method=get_service_endpoint``: services in XML, each with host, site and country."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.etree.ElementTree import Element, tostring

from pipeline.topology.reading import Wrong, xml_root
from pipeline.topology.sources.statement import Collector, Source, Statement

_STORAGE = frozenset({"srm", "webdav", "xrootd", "globus-gridftp", "gridftp"})


def _fits(content: Any) -> bool:
    return isinstance(content, Element) and content.tag == "results"


def _read(content: Any, vo: str) -> Statement:
    if not _fits(content):
        raise Wrong("it is not the XML of get_service_endpoint")
    found = Collector()
    for service in content.iter("SERVICE_ENDPOINT"):
        site = _text(service, "SITENAME")
        found.site(site, _text(service, "COUNTRY_CODE"))
        # A host of two sites, such as an alias of many services, is at the one whose storage it is.
        is_storage = _text(service, "SERVICE_TYPE").rpartition(".")[2].lower() in _STORAGE
        rank = (0 if is_storage else 2) + (0 if _text(service, "IN_PRODUCTION") in ("", "Y") else 1)
        found.host(_text(service, "HOSTNAME"), site, rank)
        for url in service.iterfind("ENDPOINTS/ENDPOINT/URL"):
            if "://" in (url.text or ""):
                found.host((url.text or "").strip(), site, rank + 4)
    if _next(content):
        found.note("the page says that more follow: name all pages in one load", "its last part")
    return found.done()


def next_page(content: bytes) -> str:
    """The address of the page that follows a page of results, as it is linked there; "" for none, and for what is no
    such page."""
    if b"<results" not in content or b"<meta" not in content:
        return ""
    try:
        root = xml_root(content)
    except Wrong:
        return ""  # said when it is read
    return _next(root) if _fits(root) else ""


def joined(pages: Sequence[bytes]) -> bytes:
    """Pages of results as one, without their links. Raises Wrong for one that is no such page."""
    whole = Element("results")
    for number, page in enumerate(pages, 1):
        try:
            root = xml_root(page)
        except Wrong as error:
            raise Wrong(f"page {number}: {error}") from error
        if not _fits(root):
            raise Wrong(f"page {number} is not the XML of get_service_endpoint")
        whole.extend(service for service in root if service.tag != "meta")
    return str(tostring(whole, encoding="unicode")).encode()


def _next(root: Element) -> str:
    links = (link.get("href", "") for link in root.iterfind("meta/link") if link.get("rel") == "next")
    return next(links, "")


def _text(service: Element, tag: str) -> str:
    return (service.findtext(tag) or "").strip()


SOURCE = Source("gocdb", _fits, _read)
