"""``topology``: load sites, hosts and VO endpoints with their valid times, and ask what is known of a host."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import click

from pipeline.cli.errors import CommandError, ConfigurationError, Unreachable
from pipeline.cli.options import json_option, with_settings
from pipeline.cli.output import say, write, write_json
from pipeline.cli.settings import Settings
from pipeline.cli.units import count, iso, moment
from pipeline.ingest.topologies import Loaded, load_topology, newest_topology
from pipeline.store.queries.columns import Column
from pipeline.store.queries.instants import parse_instant, to_datetime
from pipeline.store.session import connect
from pipeline.topology.compose import Dump
from pipeline.topology.describe import Report, describe
from pipeline.topology.model import BEGIN_MS, END_MS
from pipeline.topology.resolve import Topology
from pipeline.topology.sources.formats import FORMATS
from schemas.hosts import host_name

FETCH_TIMEOUT_S = 60
SHOWN_WARNINGS = 20


@click.group()
def topology() -> None:
    """Sites, countries, hosts and VO endpoints with the times in which they are valid.

    \b
    Examples:
      transferscope topology load topology.json
      transferscope topology show srm-cms.cern.ch --at 2026-11-01
    """


@topology.command()
@click.argument("sources", metavar="FILE|URL...", nargs=-1, required=True)
@click.option("--as", "form", type=click.Choice(sorted(FORMATS)), help="The format of all of them; else recognised.")
@click.option("--vo", default="", help="Whose endpoints they are, where a file does not say so (Rucio's lists).")
@click.option("--from", "since", metavar="TIME", default="now", show_default=True, help="When dumps begin to hold.")
@click.option("--force", is_flag=True, help="Also with less than half of the hosts, domains or endpoints in use.")
@json_option
@with_settings
def load(
    settings: Settings,
    /,
    sources: tuple[str, ...],
    form: str | None,
    vo: str,
    since: str,
    force: bool,
    as_json: bool,
) -> None:
    """Load a topology; it is used for what comes from now on.

    A file of our own format states its own times, and alone it replaces what was loaded before. Dumps of CRIC, GOCDB,
    OSG, Rucio, AGIS, PhEDEx and scitags, recognised by their content, say what is so now: what they say otherwise
    than the topology in use begins at the load, and what was so before stays true of the time before. Where two files
    speak of the same host, domain or endpoint, the first decides; name all of them in one load.

    Windows of the past that are mapped otherwise are marked stale, until recompute rebuilds them.

    \b
    Examples:
      transferscope topology load topology.json
      transferscope topology load se.json rcsite.json ddmendpoints.json gocdb.xml
      transferscope topology load --from 2026-11-20T12:00Z se.json rcsite.json
    """
    at_ms = parse_instant(since, time.time_ns() // 1_000_000)
    loaded = load_into(settings.need("database_url"), sources, at_ms, form=form or "", vo=vo, force=force)
    if as_json:
        write_json(loaded._asdict())
        return
    print(f"topology: {sentence(loaded)}")
    if loaded.stale:
        say("transferscope recompute --dry-run shows what would change in the stale windows")


@topology.command()
@click.argument("host")
@click.option("--at", metavar="TIME", default="now", show_default=True, help="As it was then: ISO 8601, -2h.")
@json_option
@with_settings
def show(settings: Settings, /, host: str, at: str, as_json: bool) -> None:
    """Show where a host stands, and every entry that says so.

    \b
    Example: transferscope topology show lpnse1.in2p3.fr --at 2015-06-01
    """
    at_ms = parse_instant(at, time.time_ns() // 1_000_000)
    known = newest(settings.need("database_url"))
    if known.revision == 0:
        raise CommandError("no topology was loaded yet: transferscope topology load FILE does it")
    report = describe(known, host_name(host), at_ms)
    if as_json:
        write_json(_document(report))
    else:
        _print(report)


def load_into(
    database_url: str, sources: Sequence[str], at_ms: int, *, form: str = "", vo: str = "", force: bool = False
) -> Loaded:
    """Take the topology of files and addresses into use; dumps hold from ``at_ms`` on.

    Raises TopologyError, ConfigurationError, Unreachable, Unavailable.
    """
    dumps = [Dump(source, _content(source), form, vo) for source in sources]
    with closing(connect(database_url)) as connection:
        loaded = load_topology(connection, dumps, at_ms, force)
    for warning in loaded.warnings[:SHOWN_WARNINGS]:
        say(warning)
    if len(loaded.warnings) > SHOWN_WARNINGS:
        say(f"and {count(len(loaded.warnings) - SHOWN_WARNINGS)} more of that kind: --json has all of them")
    return loaded


def sentence(loaded: Loaded) -> str:
    """What a load did, for people."""
    if not loaded.is_new:
        return f"revision {loaded.revision} was in use already"
    return (
        f"revision {loaded.revision} is in use, {count(loaded.changes)} entries differ, "
        f"{count(loaded.stale)} windows of 10 minutes became stale"
    )


def newest(database_url: str) -> Topology:
    """The topology in use; the empty one, revision 0, when none was loaded. Raises Unavailable."""
    with closing(connect(database_url)) as connection, connection, connection.cursor() as cursor:
        return newest_topology(cursor)


def _content(source: str) -> bytes:
    if source.startswith(("http://", "https://")):
        try:
            with urlopen(source, timeout=FETCH_TIMEOUT_S) as reply:
                return bytes(reply.read())
        except OSError as error:
            raise Unreachable("the topology", source, str(error)) from error
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"the topology {source} cannot be read: {error.strerror or error}") from error


def _document(report: Report) -> dict[str, Any]:
    return {
        "host": report.host,
        "at": to_datetime(report.at_ms),
        "revision": report.revision,
        "answers": [
            {"vo": each.vo or None, "site": each.site, "country": each.country, "status": each.status}
            | {"because": each.because}
            for each in report.answers
        ],
        "entries": [
            {
                "kind": each.kind,
                "name": each.name,
                "site": each.site or None,
                "vos": list(each.vos),
                "path": each.path or None,
                "words": list(each.words),
                "valid_from": _bound(each.from_ms),
                "valid_to": _bound(each.to_ms),
                "holds": each.holds,
            }
            for each in report.statements
        ],
    }


def _print(report: Report) -> None:
    print(f"{report.host} at {moment(to_datetime(report.at_ms))}, topology revision {report.revision}")
    text = [Column(name, "text") for name in ("vo", "site", "country", "status", "because")]
    write(
        "table",
        text,
        ([each.vo or "any", each.site, each.country, each.status, each.because] for each in report.answers),
    )
    if not report.statements:
        return
    print()
    names = ("entry", "name", "site", "vos", "path", "words", "valid from", "valid to", "holds")
    write(
        "table",
        [Column(name, "text") for name in names],
        (
            [
                *(each.kind, each.name, each.site or None, ",".join(each.vos) or None, each.path or None),
                *(",".join(each.words) or None, _bound(each.from_ms), _bound(each.to_ms), each.holds),
            ]
            for each in report.statements
        ),
    )


def _bound(ms: int) -> str | None:
    return None if ms in (BEGIN_MS, END_MS) else iso(to_datetime(ms))
