"""A client that administers Kafka (kafka-python), and the sentences for what keeps it out."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from consumers.kafka.access import KafkaAccess, KafkaAway
from consumers.kafka.tls import shake_hands

log = logging.getLogger(__name__)

_CONNECT_MS = 10_000
_LISTENER_POLL_S = 0.2
_REQUEST_MS = 30_000


@contextmanager
def admin_client(access: KafkaAccess) -> Iterator[Any]:
    """A client that is closed again; what goes wrong with it becomes KafkaAway."""
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what it has to say comes as an exception too
    client = None
    try:
        _wait_for_a_listener(access)
        client = KafkaAdminClient(
            bootstrap_servers=list(access.servers),
            client_id="transferscope-admin",
            bootstrap_timeout_ms=_CONNECT_MS,
            request_timeout_ms=_REQUEST_MS,
            **access.kafka_python(),
        )
        yield client
    except (KafkaError, OSError) as error:
        raise KafkaAway(access.address, _why(error, access, is_in=client is not None)) from error
    finally:
        if client is not None:
            client.close()


def _why(error: Exception, access: KafkaAccess, *, is_in: bool) -> str:
    """The client tries a refused password again and again, and at last says only that it had no time."""
    said = str(error) or type(error).__name__
    if access.login is None or is_in or not isinstance(error, KafkaError):
        return said
    return (
        f"it let {access.login.user} not in by {access.login.mechanism} within {_CONNECT_MS // 1000} s, though TLS"
        f" holds: correct kafka_user, kafka_password_file or kafka_mechanism ({said})"
    )


def _wait_for_a_listener(access: KafkaAccess) -> None:
    """Return when one of the servers takes connections; raises OSError when none does in the time for connecting, and
    at once when TLS fails.

    The client would wait as long, but it leaves the sockets of its vain attempts open.
    """
    until = time.monotonic() + _CONNECT_MS / 1000
    while True:
        for server in access.servers:
            try:
                shake_hands(server, access, _CONNECT_MS / 1000)
            except ssl.SSLError:
                raise  # waiting mends no certificate
            except OSError as error:
                if time.monotonic() > until:
                    raise
                problem = error
            else:
                return
        log.debug("%s: %s", access.address, problem)
        time.sleep(_LISTENER_POLL_S)
