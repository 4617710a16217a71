"""What ``topology show`` tells of a host."""

from __future__ import annotations

from pipeline.topology.describe import Answer, Statement, describe
from pipeline.topology.model import BEGIN_MS, END_MS
from pipeline.topology.resolve import Topology
from tests.unit.topology.build import JAN_2012, NOW, domain, door, host, topology


def test_every_entry_that_speaks_of_the_host_is_shown_and_whether_it_holds() -> None:
    known = topology(
        7,
        hosts=[host("se.a.fr", "B", vos=["cms"], valid_to="2012-01-01"), host("other.a.fr", "A")],
        domains=[domain("a.fr", "A"), domain("b.de", "B")],
        endpoints=[door("E", path="/p", token="ATLASDATADISK"), door("F", host="other.a.fr")],
    )
    report = describe(known, "se.a.fr", NOW)
    assert (report.host, report.at_ms, report.revision) == ("se.a.fr", NOW, 7)
    assert report.statements == (
        Statement("host", "se.a.fr", "B", ("cms",), "", (), BEGIN_MS, JAN_2012, holds=False),
        Statement("domain", "a.fr", "A", (), "", (), BEGIN_MS, END_MS, holds=True),
        Statement("endpoint", "E", "A", ("atlas",), "/p", ("DATADISK",), BEGIN_MS, END_MS, holds=True),
    )


def test_there_is_an_answer_for_each_vo_with_its_own_entry_and_one_for_all_others() -> None:
    known = topology(hosts=[host("se.a.fr", "B", vos=["cms"])], domains=[domain("a.fr", "C", "A")])
    assert describe(known, "se.a.fr", NOW).answers == (
        Answer("", "unknown", "FR", "ambiguous", 'domain "a.fr" belongs to A and C'),
        Answer("cms", "B", "DE", "host", 'host "se.a.fr" belongs to B'),
    )


def test_a_host_that_nobody_knows_is_said_to_be_so() -> None:
    report = describe(Topology.empty(), "se.a.fr", NOW)
    assert report.statements == ()
    (answer,) = report.answers
    assert answer.status == "unknown"
    assert answer.because == "no entry names the host or a domain above it at this time"
