"""Topologies from addresses: only what changed is fetched, the last good copy stays, and a process that refreshes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.database import Database
from tests.support.shell import Shell
from tests.support.waiting import eventually
from tests.support.web import Web, web

pytestmark = pytest.mark.stack

SE, DOMAINS = "/se", "/domains"


def services(**places: str) -> bytes:
    return json.dumps(
        {
            name: {"rcsite": site, "protocols": {"p": {"endpoint": f"davs://{name}.a.fr:443/"}}}
            for name, site in places.items()
        }
    ).encode()


@pytest.fixture
def served() -> Iterator[Web]:
    with web() as running:
        running.pages = {SE: services(se1="A", se2="A", se3="A"), DOMAINS: b'{"b.fr": ["B"]}'}
        yield running


def statuses(served: Web) -> list[int]:
    found = [status for _, _, status in served.asked]
    served.asked.clear()
    return found


def test_only_what_changed_is_fetched_and_nothing_new_is_no_revision(shell: Shell, served: Web) -> None:
    addresses = [f"{served.address}{SE}", f"{served.address}{DOMAINS}"]
    assert shell.json("topology", "load", *addresses)["revision"] == 1
    assert statuses(served) == [200, 200]
    again = shell.json("topology", "load", *addresses)
    assert (again["revision"], again["is_new"]) == (1, False)
    assert statuses(served) == [304, 304]
    # What did not change is still part of what is merged.
    served.pages[SE] = services(se1="A", se2="A", se3="NEW")
    changed = shell.json("topology", "load", *addresses)
    assert (changed["revision"], changed["changes"]) == (2, 1)
    assert statuses(served) == [200, 304]
    assert shell.json("topology", "show", "x.b.fr")["answers"][0]["site"] == "B"
    assert shell.json("topology", "show", "se3.a.fr")["answers"][0]["site"] == "NEW"
    assert shell.json("topology", "show", "se3.a.fr", "--at", "-1d")["answers"][0]["site"] == "A"


def test_a_dump_that_is_refused_is_not_kept_and_is_asked_for_again(shell: Shell, served: Web) -> None:
    address = f"{served.address}{SE}"
    shell("topology", "load", address)
    served.pages[SE] = b"<html>please log in</html>"
    shell("topology", "load", address, code=2)
    assert "web page" in shell.err
    served.pages[SE] = services(se1="A")
    shell("topology", "load", address, code=2)
    assert "1 hosts where the one in use has 3" in shell.err
    assert statuses(served) == [200, 200, 200]
    served.pages[SE] = services(se1="A", se2="A", se3="A")
    assert shell.json("topology", "load", address)["is_new"] is False
    assert statuses(served) == [304]


def gocdb_page(hosts: range, following: str = "") -> bytes:
    link = f'<meta><link rel="self" href="x"/><link rel="next" href="{following}"/></meta>' if following else ""
    services = "".join(
        f"<SERVICE_ENDPOINT><HOSTNAME>se{n}.a.fr</HOSTNAME><SITENAME>SITE-{n}</SITENAME>"
        "<SERVICE_TYPE>SRM</SERVICE_TYPE><IN_PRODUCTION>Y</IN_PRODUCTION></SERVICE_ENDPOINT>"
        for n in hosts
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><results>{link}{services}</results>'.encode()


def test_all_pages_of_gocdb_are_one_dump(shell: Shell, served: Web) -> None:
    address = f"{served.address}/gocdb?page=1"
    served.pages = {
        "/gocdb?page=1": gocdb_page(range(3), f"{served.address}/gocdb?page=2"),
        "/gocdb?page=2": gocdb_page(range(3, 6), "/gocdb?page=3"),
        "/gocdb?page=3": gocdb_page(range(6, 9)),
    }
    loaded = shell.json("topology", "load", address)
    assert (loaded["revision"], loaded["warnings"]) == (1, [])
    sites = [shell.json("topology", "show", f"se{n}.a.fr")["answers"][0]["site"] for n in range(9)]
    assert sites == [f"SITE-{n}" for n in range(9)]
    # A change on a later page is seen although the first page is the same.
    served.pages["/gocdb?page=3"] = gocdb_page(range(6, 10))
    assert shell.json("topology", "load", address)["revision"] == 2
    assert statuses(served) == [200] * 6
    del served.pages["/gocdb?page=2"]
    shell("topology", "load", address, code=3)
    assert "it answers 404" in shell.err
    assert shell.json("topology", "show", "se9.a.fr")["revision"] == 2


@pytest.mark.parametrize(
    ("following", "why"),
    [
        ("/gocdb", "do not end"),
        ("http://elsewhere.invalid/page2", "another server"),
        ("/sorry", "page 2: it is not complete XML"),
        ("/empty", "page 2 is not the XML of get_service_endpoint"),
    ],
)
def test_pages_that_lead_astray_are_refused(shell: Shell, served: Web, following: str, why: str) -> None:
    served.pages = {"/gocdb": gocdb_page(range(3), following), "/sorry": b"<html>Sorry", "/empty": b"<html/>"}
    shell("topology", "load", f"{served.address}/gocdb", code=3)
    assert why in shell.err
    shell("topology", "show", "se1.a.fr", "--json", code=1)


def test_an_address_that_is_away_ends_a_single_load(shell: Shell, served: Web) -> None:
    shell("topology", "load", f"{served.address}{SE}")
    del served.pages[SE]
    shell("topology", "load", f"{served.address}{SE}", code=3)
    assert "404" in shell.err


def test_the_setting_names_files_and_addresses(
    shell: Shell, served: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "se.json").write_bytes(served.pages[SE])
    config = tmp_path / "t.toml"
    config.write_text(f'topology = ["se.json", "{served.address}{DOMAINS}"]\n')
    loaded = shell.json("topology", "load", "--config", config)
    assert (loaded["revision"], statuses(served)) == (1, [200])
    shell("topology", "load", code=2)
    assert "TRANSFERSCOPE_TOPOLOGY" in shell.err


def test_init_loads_the_setting_and_again_changes_nothing(
    shell: Shell, served: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "se.json").write_bytes(served.pages[SE])
    monkeypatch.setenv("TRANSFERSCOPE_TOPOLOGY", f"{tmp_path / 'se.json'},{served.address}{DOMAINS}")
    for is_new in (True, False):
        (step,) = (each for each in shell.json("init") if each["what"] == "topology")
        assert step["is_new"] is is_new
    assert statuses(served) == [200, 304]


def test_revision_source_and_age_are_shown(shell: Shell, served: Web, database: Database) -> None:
    assert shell.json("status")["topology"] is None
    address = f"{served.address}{SE}"
    shell("topology", "load", address)
    database.ask("UPDATE store.topology SET confirmed_at = now() - interval '2 hours'")
    state = shell.json("status")["topology"]
    assert (state["revision"], state["source"]) == (1, address)
    assert 7200 <= state["age_s"] < 7300
    shown = shell.json("topology", "show")
    assert (shown["revision"], shown["hosts"], shown["sites"], shown["loaded_at"]) == (1, 3, 1, state["loaded_at"])
    shell("topology", "load", address)
    after = shell.json("topology", "show")
    assert after["age_s"] < 60
    assert after["loaded_at"] == state["loaded_at"]
    assert address in shell("topology", "show")
    assert address in shell("status")


@contextmanager
def refreshing(database_url: str, folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """``topology load --every 1s`` as a process, and the file with all that it says."""
    command = [str(Path(sys.executable).with_name("transferscope")), "topology", "load", "--every", "1s", *arguments]
    said = folder / "said"
    with said.open("w") as out:
        environment = os.environ | {"TRANSFERSCOPE_DATABASE_URL": database_url}
        process = subprocess.Popen(command, stdout=out, stderr=out, text=True, env=environment, cwd=folder)
        try:
            yield process, said
        finally:
            process.kill()
            process.wait()


def test_a_process_refreshes_survives_what_is_broken_and_ends_on_sigterm(
    database_url: str, database: Database, served: Web, tmp_path: Path
) -> None:
    def revision() -> int:
        return int(database.value("SELECT coalesce(max(revision), 0) FROM report.topology"))

    arguments = (f"{served.address}{SE}", f"{served.address}{DOMAINS}")
    with refreshing(database_url, tmp_path, *arguments) as (process, said):
        eventually(lambda: revision() == 1)
        served.pages[SE] = b"{broken"
        eventually(lambda: "the topology in use stays" in said.read_text())
        assert revision() == 1
        # One address away, the other one with news: its last good copy keeps the first from being forgotten.
        del served.pages[DOMAINS]
        served.pages[SE] = services(se1="A", se2="A", se3="NEW")
        eventually(lambda: revision() == 2)
        assert "its last good copy is used" in said.read_text()
        (domains,) = database.ask("SELECT document -> 'domains' FROM store.topology WHERE revision = 2")
        assert domains[0] == [{"domain": "b.fr", "sites": ["B"]}]
        confirmed = database.value("SELECT confirmed_at FROM report.topology WHERE revision = 2")
        served.asked.clear()
        eventually(lambda: len(served.asked) > 3)
        assert database.value("SELECT confirmed_at FROM report.topology WHERE revision = 2") == confirmed
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


def test_a_process_that_waits_for_a_lock_ends_on_sigterm_all_the_same(
    database_url: str, database: Database, served: Web, tmp_path: Path
) -> None:
    database.ask("BEGIN")
    database.ask("SELECT pg_advisory_xact_lock_shared(%s)", [0x7473_746F])  # as a recompute of a long day does
    with refreshing(database_url, tmp_path, f"{served.address}{SE}") as (process, _):
        eventually(lambda: len(served.asked) > 0)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    database.ask("ROLLBACK")
    assert database.value("SELECT count(*) FROM report.topology") == 0


@pytest.mark.parametrize("arguments", [("--every", "soon"), ("--every", "0s"), ("--every", "1h", "--force")])
def test_a_pause_that_cannot_be_meant_is_refused(shell: Shell, served: Web, arguments: tuple[str, ...]) -> None:
    shell("topology", "load", *arguments, f"{served.address}{SE}", code=2)
    assert "--every" in shell.err
