"""An agent of your own: which sites do transfers fail at, minute by minute.

    TRANSFERSCOPE_KAFKA_BOOTSTRAP=kafka1.example.org:9092 faust --datadir /tmp -A failed_transfers worker

It reads the topic ``transfers`` (``schemas/transfer.schema.json`` says what each field means) and prints a line a
minute and destination site. A transfer may come twice, and comes again when it changes: by its id it counts once in a
minute. Faust commits past events that an agent has not finished, so what must not be lost belongs into a database,
under the id.
"""

import os

import faust

WINDOW_S = float(os.environ.get("WINDOW_S", "60"))

app = faust.App(
    os.environ.get("GROUP", "failed-transfers"),
    broker=f"kafka://{os.environ['TRANSFERSCOPE_KAFKA_BOOTSTRAP'].replace(',', ';kafka://')}",
    consumer_auto_offset_reset="latest",
    topic_disable_leader=True,
    web_enabled=False,
)
transfers = app.topic("transfers", key_type=str, key_serializer="raw", value_serializer="json")
outcomes: dict[str, tuple[str, bool]] = {}


@app.agent(transfers)
async def note(events):
    """Keep the outcome of each transfer until the end of the minute."""
    async for transfer in events:
        if transfer["state"] in ("ok", "failed"):
            outcomes[transfer["id"]] = (transfer["dst_site"], transfer["state"] == "failed")


@app.timer(WINDOW_S)
async def tell():
    """Print the failures of each site, the most first, and begin anew."""
    finished: dict[str, list[int]] = {}
    for site, failed in outcomes.values():
        counts = finished.setdefault(site, [0, 0])
        counts[0] += failed
        counts[1] += 1
    outcomes.clear()
    for site, (failed, total) in sorted(finished.items(), key=lambda item: (-item[1][0], item[0])):
        print(f"{site}: {failed} of {total} failed", flush=True)
