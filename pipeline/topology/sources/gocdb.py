"""GOCDB, ``public/?method=get_service_endpoint``: services in XML, each with host, site and country."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

from pipeline.topology.reading import Wrong
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
    if any(link.get("rel") == "next" for link in content.iterfind("meta/link")):
        found.note("the page says that more follow: name all pages in one load", "its last part")
    return found.done()


def _text(service: Element, tag: str) -> str:
    return (service.findtext(tag) or "").strip()


SOURCE = Source("gocdb", _fits, _read)
