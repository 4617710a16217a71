"""Ports: free, out of the kernel's way, and the same from one start to the next."""

from __future__ import annotations

import socket
from pathlib import Path

from pipeline.devstack.plan import ACTIVEMQ, KAFKA, PORTS, POSTGRES, SERVICES, free_ports, is_free, ports_for


def test_chosen_ports_are_free_and_distinct() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert all(is_free(port) for port in ports)


def test_chosen_ports_lie_below_those_of_outgoing_connections() -> None:
    lowest_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert all(port < lowest_outgoing for port in free_ports(20))


def test_every_service_has_a_port_for_each_use_and_none_is_shared() -> None:
    ports = ports_for(SERVICES, {})
    assert {name: tuple(uses) for name, uses in ports.items()} == dict(PORTS)
    every = [port for uses in ports.values() for port in uses.values()]
    assert len(set(every)) == len(every)


def test_the_ports_of_before_are_kept() -> None:
    before = ports_for(SERVICES, {})
    assert ports_for(SERVICES, before) == before


def test_a_port_that_somebody_took_meanwhile_is_replaced() -> None:
    before = ports_for([POSTGRES, KAFKA], {})
    with socket.socket() as other:
        other.bind(("127.0.0.1", before[POSTGRES]["sql"]))
        other.listen()
        after = ports_for([POSTGRES, KAFKA], before)
    assert after[POSTGRES] != before[POSTGRES]
    assert after[KAFKA] == before[KAFKA]


def test_ports_of_a_plan_without_one_of_the_uses_are_chosen_anew() -> None:
    (stomp,) = free_ports(1)
    assert set(ports_for([ACTIVEMQ], {ACTIVEMQ: {"stomp": stomp}})[ACTIVEMQ]) == set(PORTS[ACTIVEMQ])
