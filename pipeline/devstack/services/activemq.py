"""ActiveMQ Classic with STOMP, virtual topics as the grid's message brokers have them, and Jolokia."""

from __future__ import annotations

import base64
import os
from xml.sax.saxutils import quoteattr

from pipeline.devstack.folders import Folder
from pipeline.devstack.plan import ACTIVEMQ, Plan
from pipeline.devstack.services.java import java
from pipeline.devstack.services.service import NotReady, Program, Run, secret, write_private
from pipeline.devstack.sockets import exchange

USER = "transferscope"
BROKER = "local"
FRAME_LIMIT_BYTES = 64 * 2**20
"""Above what the bridge accepts, so that tests can send it too much."""
VIRTUAL_TOPICS_XML = (
    "<destinationInterceptors><virtualDestinationInterceptor><virtualDestinations>"
    '<virtualTopic name="transfer.>" prefix="Consumer.*." selectorAware="false"/>'
    '<virtualTopic name="xrdpop.>" prefix="Consumer.*." selectorAware="false"/>'
    '<virtualTopic name="xrd.>" prefix="Consumer.*." selectorAware="false"/>'
    '<virtualTopic name="xrootd.>" prefix="Consumer.*." selectorAware="false"/>'
    "</virtualDestinations></virtualDestinationInterceptor></destinationInterceptors>"
)
"""Whoever subscribes to Consumer.NAME.transfer.X has a queue of his own with all that is published to transfer.X."""

_SETTINGS_FILE = "activemq.xml"
_JOLOKIA_FILE = "jolokia.properties"
_SETTINGS = """\
<beans xmlns="http://www.springframework.org/schema/beans"
       xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
       xsi:schemaLocation="http://www.springframework.org/schema/beans
                           http://www.springframework.org/schema/beans/spring-beans.xsd
                           http://activemq.apache.org/schema/core
                           http://activemq.apache.org/schema/core/activemq-core.xsd">
  <broker xmlns="http://activemq.apache.org/schema/core" brokerName="{broker}" dataDirectory="data"
          persistent="true" useJmx="true" schedulerSupport="false">
    {virtual_topics}
    <destinationPolicy><policyMap><policyEntries>
      <!-- A backlog goes to the disk instead of stopping the publishers. -->
      <policyEntry queue=">" memoryLimit="64 mb" producerFlowControl="false" reduceMemoryFootprint="true">
        <deadLetterStrategy><sharedDeadLetterStrategy processNonPersistent="true"/></deadLetterStrategy>
      </policyEntry>
      <policyEntry topic=">" memoryLimit="64 mb" producerFlowControl="false"/>
    </policyEntries></policyMap></destinationPolicy>
    <managementContext><managementContext createConnector="false"/></managementContext>
    <persistenceAdapter><kahaDB directory="data/kahadb" journalMaxFileLength="32 mb"/></persistenceAdapter>
    <plugins>
      <statisticsBrokerPlugin/>
      <simpleAuthenticationPlugin><users>
        <authenticationUser username="{user}" password={password} groups="users,admins"/>
      </users></simpleAuthenticationPlugin>
    </plugins>
    {tls}
    <systemUsage><systemUsage>
      <memoryUsage><memoryUsage percentOfJvmHeap="50"/></memoryUsage>
      <storeUsage><storeUsage limit="8 gb"/></storeUsage>
      <tempUsage><tempUsage limit="1 gb"/></tempUsage>
    </systemUsage></systemUsage>
    <transportConnectors>
      {connectors}
    </transportConnectors>
  </broker>
</beans>
"""


class ActiveMQ:
    name = ACTIVEMQ

    def __init__(self, folder: Folder, plan: Plan) -> None:
        self._home = folder.home(self.name)
        self._ports = plan.ports[self.name]
        self._jars = plan.jars[self.name]
        self._jolokia = plan.jars["jolokia"][0]
        self._tls = plan.tls
        self._password_file = folder.secrets / "activemq"
        self.address = f"127.0.0.1:{self._ports['stomp']}"

    async def prepare(self, run: Run) -> None:
        (self._home / "data").mkdir(parents=True, exist_ok=True)
        password = secret(self._password_file)
        write_private(self._home / _SETTINGS_FILE, self._settings(password))
        jolokia = {
            "host": "127.0.0.1",
            "port": self._ports["jolokia"],
            "agentContext": "/api/jolokia",
            "user": USER,
            "password": password,
            "discoveryEnabled": "false",
        }
        write_private(self._home / _JOLOKIA_FILE, "".join(f"{k}={v}\n" for k, v in jolokia.items()))

    def _settings(self, password: str) -> str:
        limits = f"wireFormat.maxFrameSize={FRAME_LIMIT_BYTES}&wireFormat.maxDataLength={FRAME_LIMIT_BYTES}"
        connectors = [("stomp", f"stomp+nio://{self.address}?{limits}")]
        tls = ""
        if self._tls is not None:
            wanted = "true" if self._tls.authorities else "false"
            port = self._ports["stomp+ssl"]
            connectors.append(("stomps", f"stomp+nio+ssl://127.0.0.1:{port}?needClientAuth={wanted}&{limits}"))
            tls = self._tls_context()
        return _SETTINGS.format(
            broker=BROKER,
            user=USER,
            password=quoteattr(password),
            virtual_topics=VIRTUAL_TOPICS_XML,
            tls=tls,
            connectors="\n      ".join(
                f"<transportConnector name={quoteattr(name)} uri={quoteattr(uri)}/>" for name, uri in connectors
            ),
        )

    def _tls_context(self) -> str:
        assert self._tls is not None
        password = quoteattr(self._tls.password_file.read_text().strip())
        stores = {"keyStore": self._tls.keys, "trustStore": self._tls.authorities}
        attributes = (
            f'{kind}={quoteattr(str(path))} {kind}Type="PKCS12" {kind}Password={password}'
            for kind, path in stores.items()
            if path is not None
        )
        return f"<sslContext><sslContext {' '.join(attributes)}/></sslContext>"

    def program(self) -> Program:
        options = [
            "-Xmx512m",
            f"-javaagent:{self._jolokia}=config={_JOLOKIA_FILE}",
            f"-Dactivemq.home={self._home}",
            f"-Dactivemq.base={self._home}",
            # Named, because slf4j does not always find it in time and then keeps every line in memory for ever.
            "-Dslf4j.provider=org.slf4j.simple.SimpleServiceProvider",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS",
        ]
        start = ["org.apache.activemq.console.Main", "start", f"xbean:file:{_SETTINGS_FILE}"]
        return java(self._home, self._jars, options, start)

    async def probe(self) -> None:
        """Ready once a STOMP client is let in and Jolokia tells of the broker."""
        password = secret(self._password_file)
        frame = f"CONNECT\naccept-version:1.2\nhost:{BROKER}\nlogin:{USER}\npasscode:{password}\n\n\0".encode()
        if await exchange(self._ports["stomp"], frame, 9) != b"CONNECTED":
            raise NotReady
        path = f"/api/jolokia/read/org.apache.activemq:type=Broker,brokerName={BROKER}/BrokerVersion"
        credentials = base64.b64encode(f"{USER}:{password}".encode()).decode()
        request = f"GET {path} HTTP/1.0\r\nAuthorization: Basic {credentials}\r\n\r\n".encode()
        if b'"status":200' not in await exchange(self._ports["jolokia"], request, 64 * 1024):
            raise NotReady

    async def finish(self, run: Run) -> None:
        return None

    def environment(self) -> dict[str, str]:
        return {
            "TRANSFERSCOPE_STOMP_BROKERS": f"stomp://{self.address}",
            "TRANSFERSCOPE_STOMP_USER": USER,
            "TRANSFERSCOPE_STOMP_PASSWORD_FILE": os.fspath(self._password_file),
            "TRANSFERSCOPE_BROKER_API": f"http://127.0.0.1:{self._ports['jolokia']}/api/jolokia",
            "TRANSFERSCOPE_BROKER_API_USER": USER,
            "TRANSFERSCOPE_BROKER_API_PASSWORD_FILE": os.fspath(self._password_file),
        }
