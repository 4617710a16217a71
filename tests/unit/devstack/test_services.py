"""The configuration that each service is started with."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pipeline.devstack.folders import Folder
from pipeline.devstack.plan import ACTIVEMQ, KAFKA, BrokerTls, Plan, ports_for
from pipeline.devstack.services import kafka
from pipeline.devstack.services.activemq import ActiveMQ
from pipeline.devstack.services.kafka import BODY_LIMIT_BYTES, Kafka
from pipeline.devstack.services.service import Program

CORE = "{http://activemq.apache.org/schema/core}"
PASSWORD = "a<b>&\"'c"


async def never_run(program: Program) -> str:
    raise AssertionError(program)


def activemq(tmp_path: Path, tls: BrokerTls | None = None) -> ElementTree.Element:
    """The broker's configuration as a parser sees it."""
    folder = Folder(tmp_path / "with a space")
    folder.make()
    (folder.secrets / "activemq").write_text(PASSWORD + "\n")
    jars = {ACTIVEMQ: [Path("a.jar")], "jolokia": [Path("j.jar")]}
    plan = Plan(services=[ACTIVEMQ], ports=ports_for([ACTIVEMQ], {}), tls=tls, jars=jars)
    asyncio.run(ActiveMQ(folder, plan).prepare(never_run))
    return ElementTree.parse(folder.home(ACTIVEMQ) / "activemq.xml").getroot()


def connectors(broker: ElementTree.Element) -> dict[str, str]:
    return {each.attrib["name"]: each.attrib["uri"] for each in broker.iter(f"{CORE}transportConnector")}


@pytest.mark.parametrize("topics", ["transfer.>", "xrdpop.>", "xrd.>", "xrootd.>"])
def test_the_grid_s_topics_are_virtual(topics: str, tmp_path: Path) -> None:
    virtual = {each.attrib["name"]: each.attrib for each in activemq(tmp_path).iter(f"{CORE}virtualTopic")}
    assert virtual[topics]["prefix"] == "Consumer.*."
    assert virtual[topics]["selectorAware"] == "false"


def test_a_password_may_hold_any_character(tmp_path: Path) -> None:
    (user,) = activemq(tmp_path).iter(f"{CORE}authenticationUser")
    assert user.attrib["password"] == PASSWORD


def test_without_key_store_there_is_plain_stomp_only(tmp_path: Path) -> None:
    assert set(connectors(activemq(tmp_path))) == {"stomp"}


def test_authorities_make_the_broker_ask_for_client_certificates(tmp_path: Path) -> None:
    password_file = tmp_path / "password"
    password_file.write_text("secret\n")
    without = activemq(tmp_path, BrokerTls(tmp_path / "keys.p12", password_file))
    assert "needClientAuth=false" in connectors(without)["stomps"]
    (context,) = (each for each in without.iter(f"{CORE}sslContext") if each.attrib)
    assert context.attrib == {
        "keyStore": str(tmp_path / "keys.p12"),
        "keyStoreType": "PKCS12",
        "keyStorePassword": "secret",
    }
    with_them = activemq(tmp_path, BrokerTls(tmp_path / "keys.p12", password_file, tmp_path / "authorities.p12"))
    assert "needClientAuth=true" in connectors(with_them)["stomps"]


def test_kafka_accepts_a_body_of_the_limit_with_its_headers(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    (folder.home(KAFKA) / "data").mkdir(parents=True)
    (folder.home(KAFKA) / "data" / "meta.properties").touch()  # formatted already
    plan = Plan(services=[KAFKA], ports=ports_for([KAFKA], {}), jars={KAFKA: [Path("k.jar")]})
    asyncio.run(Kafka(folder, plan).prepare(never_run))
    lines = (folder.home(KAFKA) / "server.properties").read_text().splitlines()
    settings = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    assert int(settings["message.max.bytes"]) >= BODY_LIMIT_BYTES + 64 * 1024
    assert settings["auto.create.topics.enable"] == "false"


def test_no_cluster_id_looks_like_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = b"\xf8" + b"\0" * 15, b"\x01" * 16
    drawn = iter([uuid.UUID(bytes=first), uuid.UUID(bytes=second)])
    monkeypatch.setattr(uuid, "uuid4", lambda: next(drawn))
    assert kafka.cluster_id() == "AQEBAQEBAQEBAQEBAQEBAQ"
