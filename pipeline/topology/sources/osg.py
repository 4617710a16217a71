"""OSG topology: ``rgsummary`` in XML, and lists of resources by host in JSON. The site is the resource group."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element

from pipeline.topology.sources.statement import Collector, Source, Statement, cms_site, listing, mapping, text

_OF_COUNTRY = re.compile(r"([A-Z]{2})-\w+")


class _Resource(NamedTuple):
    host: str
    group: str
    accounting_name: str
    is_active: bool


def _fits(content: Any) -> bool:
    if isinstance(content, Element):
        return bool(content.tag == "ResourceSummary")
    lists = list(mapping(content).values())
    return bool(lists) and all(map(_are_resources, lists))


def _are_resources(value: object) -> bool:
    return bool(listing(value)) and all("resource_group" in mapping(each) for each in listing(value))


def _read(content: Any, vo: str) -> Statement:
    found = Collector()
    for resource in _of_xml(content) if isinstance(content, Element) else _of_json(content):
        name = resource.accounting_name
        said = cms_site(name)
        by_prefix = _OF_COUNTRY.fullmatch(name)
        if said:
            found.site(resource.group, said[0], said[1], {"cms": [name]})
        else:
            found.site(resource.group, by_prefix[1] if by_prefix else "")
        found.host(resource.host, resource.group, 0 if resource.is_active else 1)
    return found.done()


def _of_json(content: Any) -> Iterator[_Resource]:
    for host, resources in mapping(content).items():
        for fields in map(mapping, listing(resources)):
            name = text(fields.get("wlcg_accounting_name"))
            yield _Resource(host, text(fields.get("resource_group")), name, fields.get("active") is not False)


def _of_xml(content: Element) -> Iterator[_Resource]:
    for group in content.iter("ResourceGroup"):
        name = (group.findtext("GroupName") or "").strip()
        for resource in group.iterfind("Resources/Resource"):
            accounting_name = (resource.findtext("WLCGInformation/AccountingName") or "").strip()
            is_active = _flag(resource, "Active", True) and not _flag(resource, "Disable", False)
            hosts = [resource.find("FQDN"), *resource.iterfind("FQDNAliases/FQDNAlias")]
            for host in (each.text.strip() for each in hosts if each is not None and each.text):
                yield _Resource(host, name, accounting_name, is_active)


def _flag(resource: Element, tag: str, default: bool) -> bool:
    written = (resource.findtext(tag) or "").strip().lower()
    return written == "true" if written else default


SOURCE = Source("osg", _fits, _read)
