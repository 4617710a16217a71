"""Services that go away, and connections to them that do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from random import Random

from pipeline.devstack.plan import ACTIVEMQ, KAFKA, POSTGRES
from pipeline.devstack.stack import Stack
from tests.chaos.scene import Play, Scene
from tests.chaos.schedule import Fault
from tests.chaos.site import Site
from tests.support.tcp_proxy import Proxy

_CUTS = 3
_DELAY_S = 0.1
"""Each way."""

_PROXIES: dict[str, Callable[[Site], Sequence[Proxy]]] = {
    "postgres": lambda site: [site.postgres],
    "kafka": lambda site: [site.kafka],
    "brokers": lambda site: [broker.proxy for broker in site.brokers],
}


@contextmanager
def _away(stack: Stack, service: str, how: str) -> Iterator[None]:
    stack.stop(service) if how == "stopped" else stack.kill(service)
    try:
        yield
    finally:
        stack.start(service)


def _service(service: str, how: str) -> Play:
    @contextmanager
    def play(scene: Scene, fault: Fault, rng: Random) -> Iterator[None]:
        with _away(scene.site.stack, service, how):
            yield

    return play


def _one_broker(how: str) -> Play:
    @contextmanager
    def play(scene: Scene, fault: Fault, rng: Random) -> Iterator[None]:
        number = rng.randrange(len(scene.site.brokers))
        # What was only half sent would be sent again, and the record would not tell how often.
        with scene.traffic.paused(number), _away(scene.site.brokers[number].stack, ACTIVEMQ, how):
            yield

    return play


def _cut(name: str) -> Play:
    @contextmanager
    def play(scene: Scene, fault: Fault, rng: Random) -> Iterator[None]:
        for number in range(_CUTS):
            for proxy in _PROXIES[name](scene.site):
                scene.later(fault.lasts_s * number / _CUTS, proxy.cut)
        yield

    return play


def _held(name: str, hold: Callable[[Proxy], AbstractContextManager[None]]) -> Play:
    @contextmanager
    def play(scene: Scene, fault: Fault, rng: Random) -> Iterator[None]:
        with ExitStack() as held:
            for proxy in _PROXIES[name](scene.site):
                held.enter_context(hold(proxy))
            yield

    return play


def _half_open(name: str, *, kernel_notices: bool) -> Play:
    """``kernel_notices``: the client relies on TCP to find a dead peer, and the proxy's host answers TCP's probes."""

    @contextmanager
    def play(scene: Scene, fault: Fault, rng: Random) -> Iterator[None]:
        for proxy in _PROXIES[name](scene.site):
            proxy.forget()
        yield
        if kernel_notices:
            for proxy in _PROXIES[name](scene.site):
                proxy.reset_forgotten()

    return play


PLAYS: dict[str, Play] = {
    **{f"{name}-{how}": _service(name, how) for name in (POSTGRES, KAFKA) for how in ("stopped", "killed")},
    **{f"broker-{how}": _one_broker(how) for how in ("stopped", "killed")},
    **{f"{name}-cut": _cut(name) for name in _PROXIES},
    **{f"{name}-silent": _held(name, Proxy.silent) for name in _PROXIES},
    **{f"{name}-slow": _held(name, lambda proxy: proxy.slow(_DELAY_S)) for name in ("postgres", "kafka")},
    **{f"{name}-half-open": _half_open(name, kernel_notices=name == "postgres") for name in _PROXIES},
}
