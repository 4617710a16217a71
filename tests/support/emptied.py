"""Services as a test wants to find them: nothing of earlier tests in Kafka's topics or in the broker's queues."""

from __future__ import annotations

import base64
import json
import urllib.request
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kafka import KafkaAdminClient, TopicPartition

_TO_THE_END = -1
_ANSWER_S = 30


def empty_topics(bootstrap: str, topics: Iterable[str]) -> None:
    """Delete every record: whatever a consumer group has committed, it goes on behind them."""
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap.split(","))) as client:
        described = client.describe_topics(list(topics))
        places = [
            TopicPartition(topic["name"], p["partition_index"]) for topic in described for p in topic["partitions"]
        ]
        client.delete_records(dict.fromkeys(places, _TO_THE_END))


def remove_queues(settings: Mapping[str, str], consumer: str) -> None:
    """Remove the virtual queues of a consumer: as long as they are there, the broker fills them."""
    (broker,) = _jolokia(settings, {"type": "search", "mbean": "org.apache.activemq:type=Broker,brokerName=*"})
    queues = _jolokia(settings, {"type": "search", "mbean": f"{broker},destinationType=Queue,destinationName=*"})
    for queue in queues:
        name = queue.partition("destinationName=")[2].partition(",")[0]
        if name.startswith(f"Consumer.{consumer}."):
            order = {"type": "exec", "mbean": broker, "operation": "removeQueue", "arguments": [name]}
            _jolokia(settings, order)


def _jolokia(settings: Mapping[str, str], order: Mapping[str, Any]) -> Any:
    url = settings["TRANSFERSCOPE_BROKER_API"]
    password = Path(settings["TRANSFERSCOPE_BROKER_API_PASSWORD_FILE"]).read_text().strip()
    credentials = f"{settings['TRANSFERSCOPE_BROKER_API_USER']}:{password}".encode()
    request = urllib.request.Request(
        f"{url}/",
        data=json.dumps(order).encode(),
        headers={
            "Authorization": f"Basic {base64.b64encode(credentials).decode()}",
            "Content-Type": "application/json",
            "Origin": "{0.scheme}://{0.hostname}".format(urlsplit(url)),
        },
    )
    with urllib.request.urlopen(request, timeout=_ANSWER_S) as reply:
        answer = json.load(reply)
    assert answer["status"] == 200, answer
    return answer["value"]
