"""Kafka as the settings name it, ready for whoever connects to it."""

from __future__ import annotations

from consumers.kafka.access import KafkaAccess, Login
from pipeline.cli.brokers import must_be_readable
from pipeline.cli.errors import ConfigurationError
from pipeline.cli.settings import Settings


def kafka_access(settings: Settings) -> KafkaAccess:
    """Where Kafka is and how to get in. Raises ConfigurationError when it is not set or its files cannot be used."""
    login = None
    if settings.kafka_user is not None:
        login = Login(settings.kafka_user, settings.need("kafka_password_file"), settings.kafka_mechanism)
        must_be_readable(login.password_file, "kafka_password_file")
    access = KafkaAccess(
        settings.need("kafka_bootstrap"),
        settings.kafka_ca_file,
        settings.kafka_cert_file,
        settings.kafka_key_file,
        login,
    )
    try:
        access.protocol()
        access.ssl_context()
    except ValueError as error:
        raise ConfigurationError(str(error)) from error
    except OSError as error:
        raise ConfigurationError(
            f"the certificates for Kafka cannot be used ({error}): correct kafka_ca_file, kafka_cert_file and "
            "kafka_key_file"
        ) from error
    return access
