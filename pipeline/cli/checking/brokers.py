"""What brokers tell of themselves, over STOMP and by Jolokia."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial
from urllib.parse import urlsplit

from consumers.bridge.depth import broker_time, broker_version, queue_depths
from consumers.bridge.settings import QUEUE, BrokerSettings
from consumers.errors import Unreachable
from consumers.stomp.endpoint import Endpoint
from consumers.stomp.session import Lost, NoMessages, Session
from pipeline.cli.brokers import api_password, brokers
from pipeline.cli.checking import clock, tls
from pipeline.cli.checking.check import Check, Verdict, tried
from pipeline.cli.checking.clock import Clock, moment
from pipeline.cli.settings import Settings

_CLOSE_S = 2.0
_ANSWER_S = 5.0


def over_stomp(settings: Settings, own: Clock) -> Iterator[Check]:
    """Of every address behind every broker: whether it lets us in and read, and how."""
    there = _queues_there(settings)
    for broker in brokers(settings):
        for endpoint in broker.endpoints():
            yield from tried("ActiveMQ", partial(_session, broker, endpoint, there, own))


def by_jolokia(settings: Settings, own: Clock) -> Iterator[Check]:
    """Of every broker whose Jolokia is configured."""
    password = api_password(settings)
    for url in settings.need("broker_api"):
        yield from tried("Jolokia", partial(_api, url, settings.broker_api_user, password, own))


def _session(broker: BrokerSettings, endpoint: Endpoint, there: Collection[str] | None, own: Clock) -> Iterator[Check]:
    session = Session.open(endpoint, broker.login, NoMessages())
    try:
        yield Check("ActiveMQ", Verdict.OK, f"{endpoint} lets {broker.login.user or 'anybody'} in")
        yield from tried(f"TLS to {endpoint}", partial(_tls, endpoint, own))
        yield _subscriptions(session, broker, there)
    finally:
        session.close(_CLOSE_S)


def _tls(endpoint: Endpoint, own: Clock) -> Iterator[Check]:
    if endpoint.tls is None:
        yield tls.not_encrypted(str(endpoint), endpoint.address, "say stomp+ssl:// and the TLS port of the broker")
        return
    address = (endpoint.address, endpoint.port)
    peer = tls.handshake(address, endpoint.host, endpoint.tls.context(), endpoint.tls.ca_file)
    yield tls.encrypted(str(endpoint), peer, moment(own))


def _subscriptions(session: Session, broker: BrokerSettings, there: Collection[str] | None) -> Check:
    """Browses: nothing is taken out. A queue that is not there would come into being, and be filled from then on."""
    what = f"rights of {broker.login.user or 'anybody'} on {session.endpoint}"
    wanted = [broker.destination(topic) for topic in broker.topics]
    if broker.mode == QUEUE and there is None:
        return Check(what, Verdict.LEFT_OUT, "without broker_api nobody knows which queues are there to be tried")
    asked = [each for each in wanted if broker.mode != QUEUE or each.removeprefix("/queue/") in (there or ())]
    browses = {"browser": "true"} if broker.mode == QUEUE else {}
    for number, destination in enumerate(asked):
        try:
            session.subscribe(f"may-{number}", destination, 1, f"may-{number}", browses)
            if not session.wait_receipt(f"may-{number}", _ANSWER_S):
                raise Lost(f"no answer within {_ANSWER_S:.0f} s")
        except Lost as lost:
            told = f"it may not read {destination} ({lost}): have the broker's administrators allow it"
            return Check(what, Verdict.WRONG, told)
    if not asked:
        return Check(what, Verdict.LEFT_OUT, "no queue of ours is there yet: the bridge makes them")
    return Check(what, Verdict.OK, f"it may read {len(asked)} of {len(wanted)} destinations{_rest(asked, wanted)}")


def _rest(asked: Collection[str], wanted: Collection[str]) -> str:
    return "" if len(asked) == len(wanted) else "; the others are not there yet: the bridge makes them"


def _queues_there(settings: Settings) -> Collection[str] | None:
    """Names of all queues, None when they cannot be had; the checks of Jolokia say why."""
    if settings.broker_api is None:
        return None
    try:
        password = api_password(settings)
        return {
            queue.name for url in settings.broker_api for queue in queue_depths(url, settings.broker_api_user, password)
        }
    except Unreachable:
        return None


def _api(url: str, user: str | None, password: str | None, own: Clock) -> Iterator[Check]:
    version, queues = broker_version(url, user, password), queue_depths(url, user, password)
    yield Check("Jolokia", Verdict.OK, f"ActiveMQ version {version} at {url}, {len(queues)} queues")
    yield clock.clock(f"ActiveMQ at {url}", lambda: broker_time(url, user, password), own, unit_s=1.0)
    parts = urlsplit(url)
    if parts.scheme != "https":
        yield tls.not_encrypted(f"Jolokia at {url}", parts.hostname, "say https:// and the TLS port in broker_api")
