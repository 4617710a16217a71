"""``topology``: load sites, hosts and VO endpoints with their valid times, and ask what is known of a host."""

from __future__ import annotations

import re
import time
from contextlib import closing
from typing import Any

import click

from pipeline.cli.errors import CommandError
from pipeline.cli.options import json_option, with_settings
from pipeline.cli.output import say, write, write_json
from pipeline.cli.settings import Settings
from pipeline.cli.stopping import told_to_stop
from pipeline.cli.topology_load import Order, age_sentence, load_and_warn, load_every, sentence
from pipeline.ingest.topologies import Loaded, newest_topology
from pipeline.store import topologies
from pipeline.store.queries.columns import Column
from pipeline.store.queries.instants import parse_instant, to_datetime
from pipeline.store.session import connect
from pipeline.store.topologies import InUse
from pipeline.topology.describe import Report, describe
from pipeline.topology.model import BEGIN_MS, END_MS
from pipeline.topology.resolve import Topology
from pipeline.topology.sources.formats import FORMATS
from pipeline.units import count, iso, moment
from schemas.hosts import host_name

_PAUSE = re.compile(r"(\d{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def _pause(context: click.Context, parameter: click.Parameter, written: str | None) -> int | None:
    match = None if written is None else _PAUSE.fullmatch(written.strip())
    if written is not None and (match is None or int(match[1]) == 0):
        raise click.BadParameter("write a number and s, m, h or d, such as 30m")
    return int(match[1]) * _SECONDS[match[2]] if match else None


@click.group()
def topology() -> None:
    """Sites, countries, hosts and VO endpoints with the times in which they are valid.

    \b
    Examples:
      transferscope topology load topology.json
      transferscope topology show srm-cms.cern.ch --at 2026-11-01
    """


@topology.command()
@click.argument("sources", metavar="[FILE|URL]...", nargs=-1)
@click.option("--as", "form", type=click.Choice(sorted(FORMATS)), help="The format of all of them; else recognised.")
@click.option("--vo", default="", help="Whose endpoints they are, where a file does not say so (Rucio's lists).")
@click.option("--from", "since", metavar="TIME", help="When dumps begin to hold: ISO 8601, -2h; else now.")
@click.option("--every", metavar="TIME", callback=_pause, help="Stay and load again every 30m, 1h, 1d.")
@click.option("--force", is_flag=True, help="Also with less than half of the hosts, domains or endpoints in use.")
@json_option
@with_settings
def load(
    settings: Settings,
    /,
    sources: tuple[str, ...],
    form: str | None,
    vo: str,
    since: str | None,
    every: int | None,
    force: bool,
    as_json: bool,
) -> None:
    """Load a topology; it is used for what comes from now on. Without FILE or URL: the setting topology.

    A file of our own format states its own times, and alone it replaces what was loaded before. Dumps of CRIC, GOCDB,
    OSG, Rucio, AGIS, PhEDEx and scitags, recognised by their content, say what is so now: what they say otherwise
    than the topology in use begins at the load, and what was so before stays true of the time before. Where two files
    speak of the same host, domain or endpoint, the first decides; name all of them in one load.

    Addresses are asked only for what changed (ETag, Last-Modified). With --every, what cannot be had this time is
    taken from its last good copy, what cannot be used leaves the topology in use as it is, and SIGTERM ends it.

    Windows of the past that are mapped otherwise are marked stale, until recompute rebuilds them.

    \b
    Examples:
      transferscope topology load topology.json
      transferscope topology load se.json rcsite.json ddmendpoints.json gocdb.xml
      transferscope topology load --every 1h 'https://cric.example.org/api/core/service/query/?json&type=SE'
    """
    named = sources or settings.need("topology")
    url = settings.need("database_url")
    if every is not None and (since or force):
        raise click.UsageError("--every goes with neither --from nor --force: what is loaded again holds from then on")
    at_ms = None if since is None else parse_instant(since, time.time_ns() // 1_000_000)
    order = Order(named, at_ms, form or "", vo, force)
    if every is None:
        _tell(load_and_warn(url, order), as_json)
        return
    stop = told_to_stop()
    load_every(url, order, every, stop, lambda loaded: _tell(loaded, as_json))


@topology.command()
@click.argument("host", required=False)
@click.option("--at", metavar="TIME", default="now", show_default=True, help="As it was then: ISO 8601, -2h.")
@json_option
@with_settings
def show(settings: Settings, /, host: str | None, at: str, as_json: bool) -> None:
    """Show where a host stands, and every entry that says so; without HOST: the topology in use and its age.

    \b
    Examples:
      transferscope topology show
      transferscope topology show lpnse1.in2p3.fr --at 2015-06-01
    """
    at_ms = parse_instant(at, time.time_ns() // 1_000_000)
    with closing(connect(settings.need("database_url"))) as connection, connection, connection.cursor() as cursor:
        state, known = topologies.in_use(cursor), newest_topology(cursor)
    if state is None:
        raise CommandError("no topology was loaded yet: transferscope topology load FILE does it")
    if host is None:
        _show_state(state, known, as_json)
        return
    report = describe(known, host_name(host), at_ms)
    if as_json:
        write_json(_document(report))
    else:
        _print(report)


def _tell(loaded: Loaded, as_json: bool) -> None:
    if as_json:
        write_json(loaded._asdict())
    else:
        print(f"topology: {sentence(loaded)}", flush=True)
        if loaded.stale:
            say("transferscope recompute --dry-run shows what would change in the stale windows")


def _show_state(state: InUse, known: Topology, as_json: bool) -> None:
    counted = {
        "sites": len(known.facts.sites),
        "hosts": len(known.hosts),
        "domains": len(known.domains),
        "endpoints": len({(door.vo, door.name.lower()) for door in known.facts.doors}),
    }
    if as_json:
        write_json(state._asdict() | counted)
        return
    print(age_sentence(state))
    print(", ".join(f"{count(number)} {kind}" for kind, number in counted.items()))


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
