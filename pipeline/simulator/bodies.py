"""What is published for a sending: its broker topic and its body, byte for byte in the style of who sends such."""

from __future__ import annotations

from pipeline.simulator.families import AnySending
from pipeline.simulator.faults import Kind
from pipeline.simulator.poison import poison_body
from pipeline.simulator.queues import QueueReport, Shape
from pipeline.simulator.script import Attempt
from pipeline.simulator.spoiling import spoiled
from pipeline.simulator.states import FileState
from pipeline.simulator.wire import complete_body, start_body
from pipeline.simulator.wire_accesses import access_body, access_topic, spoiled_access
from pipeline.simulator.wire_queues import OPTIMIZER_SPOILS, queue_body
from pipeline.simulator.wire_queues import SPOILS as STATUS_SPOILS
from pipeline.simulator.wire_states import SPOILS as STATE_SPOILS
from pipeline.simulator.wire_states import state_body

TOPICS = {
    Kind.START: "transfer.fts_monitoring_start",
    Kind.COMPLETE: "transfer.fts_monitoring_complete",
}
_STATE = "transfer.fts_monitoring_state"
_QUEUE_STATE = "transfer.fts_monitoring_queue_state"
_QUEUE_STATUS = "transfer.fts_monitoring_queue_status"
_QUEUE_STATUS_2012 = "transfer.fts_monitoring_queue_statu"


def published(sending: AnySending) -> tuple[str, bytes]:
    """Topic and body of a sending."""
    facts, poison = sending.facts, sending.poison
    if isinstance(facts, Attempt):
        return TOPICS[sending.kind], _transfer_body(sending.kind, facts, poison)
    if isinstance(facts, FileState):
        body = state_body(facts)
        return _STATE, spoiled(body, poison, STATE_SPOILS, facts.file.noise) if poison else body
    if isinstance(facts, QueueReport):
        return _queue_topic(facts), _queue_body(facts, poison)
    return access_topic(facts, poison), spoiled_access(facts, poison) if poison else access_body(facts)


def _transfer_body(kind: Kind, attempt: Attempt, poison: str) -> bytes:
    if poison:
        return poison_body(kind, attempt, poison)
    return start_body(attempt) if kind is Kind.START else complete_body(attempt)


def _queue_topic(report: QueueReport) -> str:
    if report.shape is Shape.OPTIMIZER:
        return _QUEUE_STATE
    # FTS3 of 2012 sent the same under a name without its last letter.
    return _QUEUE_STATUS_2012 if report.shape is Shape.EXTRACTED and report.noise & 1 else _QUEUE_STATUS


def _queue_body(report: QueueReport, poison: str) -> bytes:
    good = queue_body(report)
    if not poison:
        return good
    spoils = OPTIMIZER_SPOILS if report.shape is Shape.OPTIMIZER else STATUS_SPOILS
    return spoiled(good, poison, spoils, report.noise)
