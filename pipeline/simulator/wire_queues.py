"""Queue status and optimizer messages in all their shapes, and the broken ones among them."""

from __future__ import annotations

from itertools import groupby
from time import gmtime, strftime

import orjson

from pipeline.simulator.queues import QueueReport, Sample, Shape
from pipeline.simulator.spoiling import Fields, Spoils, no_time, shifted, too_late, too_old
from pipeline.simulator.styled import styled

_ENDPOINT = "https://%s:8443/glite-data-transfer-fts/services/FileTransfer"
_OPTIMIZER = (
    styled(
        {
            "active_count": "%(active)d",
            "connections": "%(connections)d",
            "dest_se": '"davs://%(dst)s"',
            "diff": "0",
            "endpnt": '"%(fts)s"',
            "rationale": '"Good link efficiency"',
            "retry_count": "%(retries)d",
            "source_se": '"davs://%(src)s"',
            "submitted_count": "%(ready)d",
            "success_rate": "%(success)d.0",
            "timestamp": "%(at)d",
        }
    )
    + " "
)


def _bad_count(fields: Fields, noise: int) -> None:
    count = ("-1", "many", "1.5")[noise % 3]
    fields["vos"] = [{"voname": "x", "channels": [{"channel_name": "y", "links": [{"active": count}]}]}]


def _bad_shape(fields: Fields, noise: int) -> None:
    fields["vos"] = (1, [[]], [{"channels": "none"}])[noise % 3]


def _no_id(fields: Fields, noise: int) -> None:
    fields.clear()
    fields["time"] = "1"


SPOILS: Spoils = {
    "no_id": _no_id,
    "no_time": lambda fields, noise: no_time(fields, ("time",), noise),
    "bad_time": lambda fields, noise: fields.update(time=("25:61:00.00", "soon", -1)[noise % 3]),
    "bad_count": _bad_count,
    "bad_shape": _bad_shape,
    "future": lambda fields, noise: shifted(fields, ("time",), too_late),
    "too_old": lambda fields, noise: shifted(fields, ("time",), too_old),
}
"""What can be wrong with a queue status of the proposed shape."""

OPTIMIZER_SPOILS: Spoils = {
    "no_id": lambda fields, noise: fields.update(source_se="", dest_se=None),
    "no_time": lambda fields, noise: no_time(fields, ("timestamp",), noise),
    "bad_time": lambda fields, noise: fields.update(timestamp=("soon", -1, True)[noise % 3]),
    "bad_count": lambda fields, noise: fields.update(active_count=(-1, "some", 0.5)[noise % 3]),
    "future": lambda fields, noise: shifted(fields, ("timestamp",), too_late),
    "too_old": lambda fields, noise: shifted(fields, ("timestamp",), too_old),
}
"""What can be wrong with an optimizer message."""


def queue_body(report: QueueReport) -> bytes:
    """A report in its shape."""
    match report.shape:
        case Shape.OPTIMIZER:
            return _optimizer(report)
        case Shape.EXTRACTED:
            return _extracted(report)
        case Shape.PROPOSED:
            vos = [{"voname": vo, "channels": channels} for vo, channels in _by_vo(report)]
            return orjson.dumps(_head(report) | {"vos": vos})
        case Shape.DRAFT:
            clock = strftime("%H:%M:%S", gmtime(report.at_ms // 1000))
            channels = [channel for _, channels in _by_vo(report) for channel in channels]
            head = {"fts_id": _ENDPOINT % report.fts, "time": f"{clock}.{report.at_ms % 1000 // 10:02d}"}
            return orjson.dumps(head | {"channels": channels})


def _head(report: QueueReport) -> Fields:
    return {"fts_id": _ENDPOINT % report.fts, "time": str(report.at_ms)}


def _extracted(report: QueueReport) -> bytes:
    """Keys repeat: an object for each VO and channel, under one name."""
    vos = []
    for vo, channels in _by_vo(report):
        inner = "".join(f',"channel":{orjson.dumps(channel).decode()}' for channel in channels)
        vos.append(f',"vo":{{"voname":"{vo}"{inner}}}')
    head = f'{{"fts_id":"{_ENDPOINT % report.fts}","time":"{report.at_ms}.000000"'
    return (head + "".join(vos) + "}").encode()


def _by_vo(report: QueueReport) -> list[tuple[str, list[Fields]]]:
    """The channels of each VO in a row; the same one may come again."""
    return [(vo, _channels(list(samples))) for vo, samples in groupby(report.samples, lambda sample: sample.vo)]


def _channels(samples: list[Sample]) -> list[Fields]:
    return [
        {"channel_name": name, "channel_type": "", "links": [_link(sample) for sample in of_channel]}
        for name, of_channel in groupby(samples, lambda sample: sample.channel)
    ]


def _link(sample: Sample) -> Fields:
    return {
        "source_host": sample.src_host,
        "dest_host": sample.dst_host,
        "active": str(sample.active),
        "ratio": "inf%" if sample.ratio is None else f"{sample.ratio:.6f}%",
        "ready": str(sample.ready),
    }


def _optimizer(report: QueueReport) -> bytes:
    sample = report.samples[0]
    fields = {
        "active": sample.active,
        "connections": sample.active + report.noise % 5,
        "dst": sample.dst_host,
        "fts": report.fts,
        "retries": report.noise % 3,
        "src": sample.src_host,
        "ready": sample.ready,
        "success": 100 - report.noise % 30,
        "at": report.at_ms,
    }
    return (_OPTIMIZER % fields).encode()
