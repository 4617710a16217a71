"""PostgreSQL, Kafka and ActiveMQ from images, for machines that have a container engine and not the local stack."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from testcontainers.community.kafka import KafkaContainer
from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from pipeline.devstack.plan import ACTIVEMQ, KAFKA, POSTGRES
from pipeline.devstack.services.activemq import VIRTUAL_TOPICS_XML

POSTGRES_IMAGE = "postgres:18"
KAFKA_IMAGE = "confluentinc/cp-kafka:8.0.0"
ACTIVEMQ_IMAGE = "apache/activemq-classic:6.2.0"
_STOMP, _HTTP = 61613, 8161


@contextmanager
def started(names: Collection[str], folder: Path) -> Iterator[dict[str, str]]:
    """Containers of the named services, and the settings that name them; passwords go to files in ``folder``."""
    with ExitStack() as running:
        settings: dict[str, str] = {}
        if POSTGRES in names:
            postgres = running.enter_context(PostgresContainer(POSTGRES_IMAGE, driver=None))
            settings["TRANSFERSCOPE_DATABASE_URL"] = postgres.get_connection_url()
        if KAFKA in names:
            kafka = running.enter_context(KafkaContainer(KAFKA_IMAGE).with_kraft())
            settings["TRANSFERSCOPE_KAFKA_BOOTSTRAP"] = kafka.get_bootstrap_server()
        if ACTIVEMQ in names:
            settings |= _activemq(running.enter_context(_activemq_container()), folder)
        yield settings


def _activemq_container() -> DockerContainer:
    add_virtual_topics = f"s|<destinationPolicy>|{VIRTUAL_TOPICS_XML}<destinationPolicy>|"
    configuration = "/opt/apache-activemq/conf/activemq.xml"
    return (
        DockerContainer(ACTIVEMQ_IMAGE)
        .with_exposed_ports(_STOMP, _HTTP)
        .with_command(["sh", "-c", f"sed -i '{add_virtual_topics}' {configuration} && exec bin/activemq console"])
        .waiting_for(LogMessageWaitStrategy("Connector stomp started"))
    )


def _activemq(container: DockerContainer, folder: Path) -> dict[str, str]:
    password = folder / "activemq-password"
    password.write_text("admin\n")
    host = container.get_container_host_ip()
    return {
        "TRANSFERSCOPE_STOMP_BROKERS": f"stomp://{host}:{container.get_exposed_port(_STOMP)}",
        "TRANSFERSCOPE_STOMP_USER": "admin",
        "TRANSFERSCOPE_STOMP_PASSWORD_FILE": str(password),
        "TRANSFERSCOPE_BROKER_API": f"http://{host}:{container.get_exposed_port(_HTTP)}/api/jolokia",
        "TRANSFERSCOPE_BROKER_API_USER": "admin",
        "TRANSFERSCOPE_BROKER_API_PASSWORD_FILE": str(password),
    }
