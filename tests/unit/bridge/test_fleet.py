"""Which addresses are connected when names change what is behind them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import pytest

from consumers.bridge import stats
from consumers.bridge.fleet import KEEP_S, Fleet
from consumers.bridge.link import Link
from consumers.bridge.settings import BrokerSettings
from consumers.bridge.stats import LinkStats
from consumers.errors import Unreachable
from consumers.stomp.endpoint import Endpoint, addresses


@dataclass
class FakeLink:
    endpoint: Endpoint
    stats: LinkStats = field(init=False)
    is_stopped: bool = False
    can_end: bool = True

    def __post_init__(self) -> None:
        self.stats = LinkStats(str(self.endpoint), stats.CONNECTED)

    def start(self) -> None:
        assert not self.is_stopped

    def stop(self) -> None:
        self.is_stopped = True

    def join(self, timeout_s: float) -> bool:
        return self.can_end


class World:
    """Names and what is behind them, a clock, and the links that were made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: dict[str, tuple[str, ...]] = {}
        self.now = 0.0
        self.made: list[FakeLink] = []
        monkeypatch.setattr("consumers.bridge.settings.addresses", self._look_up)

    def fleet(self, *urls: str) -> Fleet:
        return Fleet([BrokerSettings(url) for url in urls], self._new_link, lambda: self.now)

    def connected(self) -> list[str]:
        return [str(link.endpoint.address) for link in self.made if not link.is_stopped]

    def _look_up(self, host: str, port: int) -> tuple[str, ...]:
        if host not in self.names:
            raise Unreachable("ActiveMQ", f"{host}:{port}", "its name cannot be resolved")
        return self.names[host]

    def _new_link(self, broker: BrokerSettings, endpoint: Endpoint) -> Link:
        self.made.append(FakeLink(endpoint))
        return cast(Link, self.made[-1])


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def test_every_address_behind_each_name_is_connected(world: World) -> None:
    world.names = {"mb": ("10.0.0.1", "10.0.0.2"), "other": ("10.0.0.9",)}
    fleet = world.fleet("stomp://mb:61613", "stomp://other:61613")
    fleet.reconcile()
    assert world.connected() == ["10.0.0.1", "10.0.0.2", "10.0.0.9"]
    fleet.reconcile()
    assert len(world.made) == 3, "once each"


def test_a_new_address_is_connected_when_the_name_is_looked_up_again(world: World) -> None:
    world.names = {"mb": ("10.0.0.1",)}
    fleet = world.fleet("stomp://mb:61613")
    fleet.reconcile()
    world.names["mb"] = ("10.0.0.1", "10.0.0.2")
    world.now = 60
    fleet.reconcile()
    assert world.connected() == ["10.0.0.1", "10.0.0.2"]


def test_a_connected_address_that_left_its_name_is_kept_while_producers_may_still_use_it(world: World) -> None:
    world.names = {"mb": ("10.0.0.1", "10.0.0.2")}
    fleet = world.fleet("stomp://mb:61613")
    fleet.reconcile()
    world.names["mb"] = ("10.0.0.2",)
    world.now = KEEP_S
    fleet.reconcile()
    assert world.connected() == ["10.0.0.1", "10.0.0.2"]
    world.now = KEEP_S + 1
    fleet.reconcile()
    assert world.connected() == ["10.0.0.2"]


def test_an_address_that_left_its_name_and_is_down_is_given_up_at_once(world: World) -> None:
    world.names = {"mb": ("10.0.0.1", "10.0.0.2")}
    fleet = world.fleet("stomp://mb:61613")
    fleet.reconcile()
    world.made[0].stats.state = stats.CONNECTING
    world.names["mb"] = ("10.0.0.2",)
    world.now = 60
    fleet.reconcile()
    assert world.connected() == ["10.0.0.2"]


def test_a_name_server_that_is_down_costs_no_connection(world: World) -> None:
    world.names = {"mb": ("10.0.0.1",)}
    fleet = world.fleet("stomp://mb:61613")
    fleet.reconcile()
    del world.names["mb"]
    for hour in range(1, 5):
        world.now = hour * KEEP_S
        fleet.reconcile()
    assert world.connected() == ["10.0.0.1"]
    assert fleet.problems == ["mb:61613: its name cannot be resolved"]


def test_a_name_that_cannot_be_resolved_yet_does_not_stop_the_others(world: World) -> None:
    world.names = {"good": ("10.0.0.1",)}
    fleet = world.fleet("stomp://bad:61613", "stomp://good:61613")
    fleet.reconcile()
    assert world.connected() == ["10.0.0.1"]
    world.names["bad"] = ("10.0.0.2",)
    fleet.reconcile()
    assert world.connected() == ["10.0.0.1", "10.0.0.2"]
    assert fleet.problems == []


def test_the_end_tells_who_did_not_end_in_time(world: World) -> None:
    world.names = {"mb": ("10.0.0.1", "10.0.0.2")}
    fleet = world.fleet("stomp://mb:61613")
    fleet.reconcile()
    world.made[1].can_end = False
    assert [link.endpoint.address for link in fleet.stop(1.0)] == ["10.0.0.2"]
    assert world.connected() == []


@pytest.mark.parametrize(
    ("found", "chosen"),
    [
        ([(2, "10.0.0.1"), (2, "10.0.0.2"), (2, "10.0.0.1")], ("10.0.0.1", "10.0.0.2")),
        ([(10, "fd00::1"), (2, "10.0.0.1")], ("10.0.0.1",)),
        ([(10, "fd00::1"), (10, "fd00::2")], ("fd00::1", "fd00::2")),
    ],
)
def test_the_addresses_of_one_family_are_taken_once_each(
    found: list[tuple[int, str]], chosen: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(*arguments: object, **options: object) -> list[tuple[object, ...]]:
        return [(family, 1, 6, "", (address, 61613)) for family, address in found]

    monkeypatch.setattr("socket.getaddrinfo", answer)
    assert addresses("mb", 61613) == chosen
