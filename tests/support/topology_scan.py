"""What a topology document says of one side of a transfer, by reading all of it anew: the slow, plain oracle.

Works on the JSON document itself and shares no code with the pipeline.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

Entry = dict[str, Any]
Answer = tuple[str, str, str, str]


def millis(text: str) -> int:
    """An ISO 8601 time with an offset, in whole ms."""
    since = datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def scan(document: Entry, host: str, vo: str, at_ms: int, rse: str, url: str, token: str) -> Answer:
    """(site, country, endpoint, status) by the rules of pipeline/topology/README.md."""
    site, country, site_status = scan_site(document, host, vo, at_ms)
    name, endpoint_site, status = _scan_endpoint(document, host, vo, at_ms, rse, url, token)
    if status == "unknown":
        return site, country, "unknown", site_status
    if endpoint_site:
        return endpoint_site, _country(document, endpoint_site), name, status
    return site, country, name, status


def scan_site(document: Entry, host: str, vo: str, at_ms: int) -> tuple[str, str, str]:
    """(site, country, status) of a host."""
    rows = [(entry, [entry["site"]]) for entry in document["hosts"] if entry["host"] == host]
    status = "host"
    decided = _deciding_sites(rows, vo, at_ms)
    labels = host.split(".")
    for skipped in range(len(labels)):
        if decided:
            break
        suffix = ".".join(labels[skipped:])
        rows = [(entry, entry["sites"]) for entry in document["domains"] if entry["domain"] == suffix]
        status = "domain"
        decided = _deciding_sites(rows, vo, at_ms)
    if not decided:
        return "unknown", "unknown", "unknown"
    countries = {_country(document, site) for site in decided}
    country = min(countries) if len(countries) == 1 else "unknown"
    return (min(decided), country, status) if len(decided) == 1 else ("unknown", country, "ambiguous")


def _deciding_sites(rows: list[tuple[Entry, list[str]]], vo: str, at_ms: int) -> set[str]:
    valid = [(entry, sites) for entry, sites in rows if _holds(entry, at_ms)]
    mine = [(entry, sites) for entry, sites in valid if vo.lower() in [name.lower() for name in entry.get("vos", [])]]
    ours = [(entry, sites) for entry, sites in valid if not entry.get("vos")]
    left = mine or ours
    newest = max((_start(entry) for entry, _ in left), default=0)
    return {site for entry, sites in left if _start(entry) == newest for site in sites}


def _scan_endpoint(
    document: Entry, host: str, vo: str, at_ms: int, rse: str, url: str, token: str
) -> tuple[str, str, str]:
    doors = [door for door in document["endpoints"] if door["vo"].lower() == vo.lower() and _holds(door, at_ms)]
    if rse:
        doors = [door for door in doors if door["name"].lower() == rse.lower()]
        return (*_one(doors), "message") if doors else (rse, "", "message")
    parts = _parts(url)
    doors = [door for door in doors if door.get("host") == host]
    if token:
        said = [door for door in doors if _word(token) in _words(door)]
        doors = said or [door for door in doors if not _words(door)]
    doors = [door for door in doors if parts[: len(_parts(door.get("path", "")))] == _parts(door.get("path", ""))]
    longest = max((len(_parts(door.get("path", ""))) for door in doors), default=0)
    doors = [door for door in doors if len(_parts(door.get("path", ""))) == longest]
    directories = parts if _path(url).endswith("/") else parts[:-1]
    hinted = [door for door in doors if _words(door) & {_word(part) for part in directories}]
    doors = hinted or doors
    if not doors:
        return "unknown", "", "unknown"
    if len({door["name"].lower() for door in doors}) > 1:
        return "unknown", "", "ambiguous"
    return (*_one(doors), "endpoint")


def _one(doors: list[Entry]) -> tuple[str, str]:
    newest = max(_start(door) for door in doors)
    left = [door for door in doors if _start(door) == newest]
    sites = {door["site"] for door in left if door.get("site")}
    return min(door["name"] for door in left), min(sites) if len(sites) == 1 else ""


def _path(url: str) -> str:
    path = url
    if "?SFN=" in url:
        path = url.split("?SFN=", 1)[1]
    elif "://" in url:
        path = "/".join(url.split("://", 1)[1].split("/")[1:])
    return path.split("?")[0]


def _parts(url: str) -> list[str]:
    return [part for part in _path(url).split("/") if part]


def _words(door: Entry) -> set[str]:
    return {_word(door[key]) for key in ("token", "type") if door.get(key)}


def _word(token: str) -> str:
    bare = token.split(":")[-1].strip().upper()
    return bare[5:] if bare.startswith("ATLAS") and bare != "ATLAS" else bare


def _country(document: Entry, site: str) -> str:
    countries = [entry.get("country") for entry in document["sites"] if entry["name"] == site]
    return countries[0] or "unknown"


def _start(entry: Entry) -> int:
    return millis(entry["valid_from"]) if entry.get("valid_from") else 0


def _holds(entry: Entry, at_ms: int) -> bool:
    return _start(entry) <= at_ms and (not entry.get("valid_to") or at_ms < millis(entry["valid_to"]))
