"""Which services the settings name, so that they are taken from there instead of started."""

from __future__ import annotations

import socket

from pipeline.devstack import state
from pipeline.devstack.adoption import adopted, is_adopted, look
from pipeline.devstack.plan import ACTIVEMQ, KAFKA, POSTGRES, SERVICES, free_ports

DATABASE = {"TRANSFERSCOPE_DATABASE_URL": "postgresql://me@db.example.org/transfers"}
BROKERS = {
    "TRANSFERSCOPE_STOMP_BROKERS": "stomp+ssl://mq.example.org:61612",
    "TRANSFERSCOPE_STOMP_USER": "me",
    "TRANSFERSCOPE_BROKER_API": "http://mq.example.org:8161/api/jolokia",
}


def test_a_named_service_is_adopted_with_all_its_settings_and_no_others() -> None:
    found = adopted(SERVICES, {**BROKERS, "TRANSFERSCOPE_TOPOLOGY": "topology.json"}, {})
    assert found == BROKERS
    assert is_adopted(ACTIVEMQ, found)
    assert not is_adopted(KAFKA, found)
    assert not is_adopted(POSTGRES, found)


def test_settings_that_name_no_service_adopt_nothing() -> None:
    assert adopted(SERVICES, {"TRANSFERSCOPE_STOMP_USER": "me", "TRANSFERSCOPE_DATABASE_URL": ""}, {}) == {}


def test_a_service_that_was_not_asked_for_is_not_adopted() -> None:
    assert adopted([KAFKA], DATABASE, {}) == {}


def test_the_settings_that_the_stack_gave_out_itself_do_not_count() -> None:
    own = {"TRANSFERSCOPE_DATABASE_URL": "postgresql://postgres@127.0.0.1:15001/transferscope?passfile=x"}
    assert adopted(SERVICES, {**own, **BROKERS}, {POSTGRES: {"sql": 15001}}) == BROKERS
    assert adopted(SERVICES, own, {POSTGRES: {"sql": 15002}}) == own
    assert adopted(SERVICES, own, {KAFKA: {"clients": 15001}}) == own


def test_a_database_on_a_unix_socket_is_adopted() -> None:
    url = {"TRANSFERSCOPE_DATABASE_URL": "postgresql:///transfers?host=/run/postgresql"}
    assert adopted(SERVICES, url, {POSTGRES: {"sql": 15001}}) == url


def test_an_adopted_service_is_there_when_every_address_takes_a_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        addresses = [f"127.0.0.1:{server.getsockname()[1]}" for server in (one, two)]
        found = look(KAFKA, {"TRANSFERSCOPE_KAFKA_BOOTSTRAP": ",".join(addresses)})
    assert found.state == state.ADOPTED
    assert found.address == ", ".join(addresses)


def test_an_adopted_service_that_does_not_answer_is_named_with_its_address() -> None:
    (port,) = free_ports(1)
    found = look(POSTGRES, {"TRANSFERSCOPE_DATABASE_URL": f"postgresql://me@127.0.0.1:{port}/transfers"})
    assert not found.is_serving
    assert found.detail.startswith(f"127.0.0.1:{port} cannot be reached: ")


def test_the_customary_port_is_taken_where_the_settings_say_none() -> None:
    url = "postgresql://me@127.0.0.1/transfers"
    assert look(POSTGRES, {"TRANSFERSCOPE_DATABASE_URL": url}).address == "127.0.0.1:5432"
