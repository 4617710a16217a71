"""The application as a process: a socket of its own, so that port 0 is known before the first request."""

from __future__ import annotations

import logging
import signal
import socket
import ssl
from collections.abc import Callable
from dataclasses import replace

import uvicorn

from pipeline.web.app import create_app
from pipeline.web.asks.messages import Lookup
from pipeline.web.config import WebConfig
from pipeline.web.measures import looking
from pipeline.web.serving import Server


def serve(config: WebConfig, lookup: Lookup | None, listening: Callable[[str], None]) -> None:
    """Answers until SIGTERM or SIGINT; ``listening`` is told the address first.

    ``lookup`` finds the messages behind a transfer, None: nothing does.

    Raises OSError when the address cannot be had or a certificate cannot be used, Unavailable when the database is
    away.
    """
    if config.tls is not None:  # before anybody is told where
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(config.tls.cert_file, config.tls.key_file)
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((config.host, config.port))
        opened.listen()  # before anybody is told
        port = opened.getsockname()[1]
        host = f"[{config.host}]" if family is socket.AF_INET6 else config.host
        address = f"{'http' if config.tls is None else 'https'}://{host}:{port}"
        shared = Server(replace(config, address=address), lookup)
        app = create_app(shared.config, shared)
        with shared.readers.connection():
            pass  # it stays open: status finds the address before the first request
        listening(address)
        served = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,  # the process has set up its log
                log_level=logging.WARNING,
                server_header=False,
                timeout_graceful_shutdown=8,  # ends within the ten seconds that operators allow
                ssl_certfile=None if config.tls is None else config.tls.cert_file,
                ssl_keyfile=None if config.tls is None else config.tls.key_file,
            )
        )
        # uvicorn ends in order, then raises the signal once more for whoever was there before it.
        signal.signal(signal.SIGTERM, lambda *_: None)
        with looking(shared.config, shared.telemetry):
            served.run(sockets=[opened])
