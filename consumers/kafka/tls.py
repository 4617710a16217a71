"""What is wrong with TLS to Kafka, found out by a handshake of our own: its clients say little of it."""

from __future__ import annotations

import socket
import ssl

from consumers.kafka.access import KafkaAccess


def shake_hands(server: str, access: KafkaAccess, timeout_s: float) -> None:
    """Connect to a server, over TLS where it is set, and leave again.

    Raises OSError: an ssl.SSLError of which the text says what to do, or what the network says.
    """
    host, _, port = server.rpartition(":")
    name = host.strip("[]")
    context = access.ssl_context()
    with socket.create_connection((name, int(port)), timeout=timeout_s) as connection:
        if context is None:
            return
        try:
            with context.wrap_socket(connection, server_hostname=name):
                return
        except ssl.SSLCertVerificationError as error:
            raise ssl.SSLError(f"the certificate of {server} is refused: {_remedy(error, name)}") from error
        except ssl.SSLError as error:
            reason = (error.reason or str(error)).replace("_", " ").lower()
            raise ssl.SSLError(
                f"{server} does not speak TLS as it should ({reason}): name its TLS port in kafka_bootstrap; nothing is"
                " sent without TLS while kafka_ca_file is set"
            ) from error
        except (ConnectionError, TimeoutError) as error:
            raise ssl.SSLError(
                f"{server} ended the handshake: is this its TLS port, and does it want kafka_cert_file?"
            ) from error


def _remedy(error: ssl.SSLCertVerificationError, host: str) -> str:
    said = error.verify_message
    if "expired" in said:
        return f"{said}: have it renewed"
    if "self-signed" in said or "issuer" in said:
        return f"{said}: put its authority into kafka_ca_file"
    return f"{said}: name it in kafka_bootstrap as its certificate does, not as {host}"
