"""One Kafka node that is broker and controller."""

from __future__ import annotations

import base64
import struct
import uuid

from pipeline.devstack.folders import Folder
from pipeline.devstack.plan import KAFKA, KAFKA_USER, Plan
from pipeline.devstack.services.java import java
from pipeline.devstack.services.service import NotReady, Program, Run
from pipeline.devstack.sockets import exchange

BODY_LIMIT_BYTES = 16 * 2**20
_BATCH_LIMIT_BYTES = BODY_LIMIT_BYTES + 2**20  # a body with its headers and the batch's own

_SETTINGS_FILE = "server.properties"
_LOGGING_FILE = "log4j2.properties"
_SETTINGS = """\
# Written at every start of the local stack.
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{clients},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{clients}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=data
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
message.max.bytes={batch}
replica.fetch.max.bytes={batch}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
# A broker that was killed is let in again only when its session has ended.
broker.session.timeout.ms=5000
broker.heartbeat.interval.ms=1000
# Of a heap of 768 MB; the default alone is 128 MB.
log.cleaner.dedupe.buffer.size=16777216
"""
_SECURED = """\
listeners=PLAINTEXT://127.0.0.1:{clients},SECURED://127.0.0.1:{secured},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{clients},SECURED://127.0.0.1:{secured}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SECURED:SASL_SSL,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
super.users=User:ANONYMOUS
ssl.keystore.type=PKCS12
ssl.keystore.location={keys}
ssl.keystore.password={password}
ssl.key.password={password}
listener.name.secured.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.secured.plain.sasl.jaas.config=\
org.apache.kafka.common.security.plain.PlainLoginModule required user_{user}="{password}";
"""
_LOGGING = """\
appender.out.type=Console
appender.out.name=OUT
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{yyyy-MM-dd HH:mm:ss.SSS} %-5p %c: %m%n
rootLogger.level=WARN
rootLogger.appenderRef.out.ref=OUT
logger.server.name=kafka.server
logger.server.level=INFO
"""
# A metadata request, version 1: its key, version, correlation id, no client id, of no topic.
_METADATA = struct.pack(">hhihi", 3, 1, 7, -1, 0)


def cluster_id() -> str:
    """16 random bytes as Kafka writes them. None that begins with a dash: the tool would take it for an option."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text


class Kafka:
    name = KAFKA

    def __init__(self, folder: Folder, plan: Plan) -> None:
        self._home = folder.home(self.name)
        self._ports = plan.ports[self.name]
        self._tls = plan.tls
        self._jars = plan.jars[self.name]
        self.address = f"127.0.0.1:{self._ports['clients']}"

    async def prepare(self, run: Run) -> None:
        data = self._home / "data"
        data.mkdir(parents=True, exist_ok=True)
        settings = _SETTINGS.format(**self._ports, batch=_BATCH_LIMIT_BYTES)
        scram = []
        if self._tls is not None:
            password = self._tls.password_file.read_text().strip()
            # The last line of a name holds.
            settings += _SECURED.format(**self._ports, keys=self._tls.keys, password=password, user=KAFKA_USER)
            scram = ["--add-scram", f"SCRAM-SHA-512=[name={KAFKA_USER},password={password}]"]
        written = self._home / _SETTINGS_FILE
        written.touch(mode=0o600)
        written.write_text(settings)
        (self._home / _LOGGING_FILE).write_text(_LOGGING)
        if not (data / "meta.properties").exists():
            storage = ["kafka.tools.StorageTool", "format", "-t", cluster_id(), "-c", _SETTINGS_FILE, *scram]
            # Short-lived: not worth compiling.
            await run(self._java(["-XX:TieredStopAtLevel=1"], storage))

    def program(self) -> Program:
        return self._java(["-Xms256m", "-Xmx768m"], ["kafka.Kafka", _SETTINGS_FILE])

    def _java(self, options: list[str], main: list[str]) -> Program:
        return java(self._home, self._jars, [*options, f"-Dlog4j2.configurationFile={_LOGGING_FILE}"], main)

    async def probe(self) -> None:
        """Ready once it answers a client's metadata request with itself as a broker."""
        request = struct.pack(">i", len(_METADATA)) + _METADATA
        answer = await exchange(self._ports["clients"], request, 12)  # length, correlation id, number of brokers
        if int.from_bytes(answer[8:12], "big") < 1:
            raise NotReady

    async def finish(self, run: Run) -> None:
        return None

    def environment(self) -> dict[str, str]:
        return {"TRANSFERSCOPE_KAFKA_BOOTSTRAP": self.address}
