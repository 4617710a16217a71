"""``python -m pipeline.devstack.relock``: renews jars.lock from ROOTS, for whoever changes a version.

Resolves what the roots need, fetches every jar once and writes coordinate, size and SHA-256 sum.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from jgo.maven import MavenContext

from pipeline.devstack.jars import LOCK_FILE, sha256_of

ROOTS: dict[str, tuple[str, ...]] = {
    "kafka": ("org.apache.kafka:kafka_2.13:4.3.0",),
    "activemq": (
        "org.apache.activemq:activemq-all:6.2.7",
        "commons-logging:commons-logging:1.3.5",
        "org.slf4j:slf4j-simple:2.0.17",
        "com.fasterxml.jackson.core:jackson-databind:2.21.2",
        "com.thoughtworks.xstream:xstream:1.4.21",  # the statistics plugin's answers as JSON over STOMP
        "org.codehaus.jettison:jettison:1.5.4",
    ),
}
ALONE: dict[str, tuple[str, ...]] = {
    # Kafka logs through slf4j 1 to log4j 2. Resolved with Kafka, its parent would choose other versions for Kafka.
    "kafka": ("org.apache.logging.log4j:log4j-slf4j-impl:2.25.4",),
    # Users and groups as values, which activemq-all lacks. They have not changed since this version, the newest that
    # is served everywhere we looked; what it depends on is in activemq-all.
    "activemq": ("org.apache.activemq:activemq-jaas:6.1.7",),
    "jolokia": ("org.jolokia:jolokia-agent-jvm:jar:javaagent:2.3.0",),  # an agent that carries what it needs
}
"""Taken without what they depend on."""


def main() -> None:
    lines = [
        "# The jars of the local stack: service, Maven coordinate, size in bytes, SHA-256 sum.",
        "# Made by: python -m pipeline.devstack.relock",
    ]
    with tempfile.TemporaryDirectory(prefix="relock-") as folder:
        context = MavenContext(repo_cache=Path(folder), timeout=60)
        artifacts = [
            (service, dependency.artifact)
            for service, roots in ROOTS.items()
            for part in context.resolver.resolve([context.create_dependency(root) for root in roots])
            for dependency in part
        ]
        for service, roots in ALONE.items():
            artifacts += [(service, context.create_dependency(root).artifact) for root in roots]
        for service, artifact in sorted(dict.fromkeys(artifacts), key=lambda entry: entry[0]):
            path = artifact.resolve()
            print(service, artifact, file=sys.stderr)
            lines.append(f"{service} {artifact} {path.stat().st_size} sha256:{sha256_of(path)}")
    Path(__file__).with_name(LOCK_FILE).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
