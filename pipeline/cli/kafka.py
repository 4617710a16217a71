"""Kafka as the settings name it, ready for whoever connects to it."""

from __future__ import annotations

from consumers.kafka.access import KafkaAccess
from pipeline.cli.errors import ConfigurationError
from pipeline.cli.settings import Settings


def kafka_access(settings: Settings) -> KafkaAccess:
    """Where Kafka is and how to get in. Raises ConfigurationError when it is not set or its files cannot be used."""
    access = KafkaAccess(
        settings.need("kafka_bootstrap"), settings.kafka_ca_file, settings.kafka_cert_file, settings.kafka_key_file
    )
    try:
        access.ssl_context()
    except OSError as error:
        raise ConfigurationError(
            f"the certificates for Kafka cannot be used ({error}): correct kafka_ca_file, kafka_cert_file and "
            "kafka_key_file"
        ) from error
    return access
