"""What each column of an answer means, in a sentence: one place for all that describe columns."""

from __future__ import annotations

from schemas.events import STAGES

_MEANINGS: dict[str, str] = {
    # Where and when.
    "window_start": "The window begins here and ends before its width is over.",
    "technology": "Who tells of the transfer: rows of different ones are never added up.",
    "fts": "FTS instance.",
    "vo": "Virtual organisation.",
    "channel": "FTS channel; none outside of FTS.",
    "channel_type": "Type of the channel, as FTS says.",
    "activity": "Activity that the VO gave the transfer.",
    "site": "Site; unknown when the topology tells none.",
    "host": "Host.",
    "country": "Country of the site.",
    "direction": "out: sends; in: receives.",
    "locality": "local: both ends at the same site or domain; remote: not.",
    "protocol": "Protocol of the transfer.",
    "ipver": "Version of IP that was used.",
    "period": "asked: the range; before: the range that it is compared with.",
    "name": "Name.",
    # Counts and sizes.
    "started": "Start messages, by the time of the message.",
    "ok": "Transfers that ended well, by the time of their end.",
    "failed": "Transfers that failed, by the time of their end.",
    "aborted": "Transfers that were cancelled, by the time of their end.",
    "efficiency": "ok / (ok + failed); none without any, or where the technology tells no failures.",
    "bytes": "Bytes of finished transfers, whatever their outcome.",
    "bytes_ok": "Bytes of transfers that ended well.",
    "bytes_moved": "Bytes of finished transfers, spread evenly over the time in which they streamed.",
    "throughput": "Bytes over time: bytes_moved over the time that passed; of one transfer, over its streaming time.",
    "links": "Distinct pairs of hosts.",
    "share": "Part of the bytes, of all that stand beside it.",
    "vos": "VOs that stand beside each other.",
    "count": "How many.",
    "transfers": "Transfers; one with two hosts counts for both.",
    "size": "Size of the message.",
    "file_size": "Size of the file.",
    "windows": "Windows in which the VO did something.",
    # State of windows.
    "final_at": "When the window was declared final; none while it may still grow.",
    "updated_at": "When it last changed.",
    "stale": "A newer topology maps it otherwise: recompute renews it.",
    "unfinished": "The window, or the range, has not ended.",
    "not_final": "Late messages may still change it.",
    # VOs beside each other.
    "other_vo": "The VO that it is compared with.",
    "together": "Windows in which both did something: the n of all that compares them.",
    "failing": "Of these, those in which a fifth or more of what finished failed.",
    "other_failing": "The same of the other VO.",
    "both_failing": "The same of both.",
    "failing_correlation": "Phi coefficient of failing or not; none for fewer than 24 windows.",
    "efficiency_together": "Efficiency in windows with the other VO.",
    "efficiency_alone": "Efficiency in windows without it.",
    "bytes_together": "Bytes moved in windows with the other VO.",
    "other_bytes_together": "Bytes that the other VO moved in these.",
    "throughput_together": "Mean throughput of a transfer in windows with the other VO.",
    "throughput_alone": "Mean throughput of a transfer in windows without it.",
    "throughput_correlation": "Rank correlation of the bytes that both moved; none for fewer than 24 windows.",
    # Failures.
    "id": "Name of the row that never changes.",
    "scope": "Where it failed, as FTS says.",
    "phase": "When it failed, as FTS says.",
    "category": "Name of the error code.",
    "code": "Error code.",
    "template": "Message with its variable parts masked.",
    "sample": "First message of the kind.",
    "first_seen": "First time in the range.",
    "last_seen": "Last time in the range.",
    # Queues of FTS.
    "samples": "How often it was sampled.",
    "active_to_max": "Mean of active, over its largest.",
    # Single transfers.
    "state": "How it ended, or the state of the file.",
    "agent_fqdn": "Host of the FTS agent.",
    "transfer_id": "Id of the attempt.",
    "start_transfer_id": "Id in the start message.",
    "job_id": "FTS job.",
    "file_id": "File within the job.",
    "topology_revision": "Revision of the topology that placed it.",
    "start_message_at": "Time of the start that it is paired with; none without one.",
    "started_at": "When it began.",
    "ended_at": "When it ended.",
    "queue_wait_ms": "How long it waited before it became active.",
    "retry": "Retries so far.",
    "retry_max": "Retries that are allowed.",
    "user_hash": "Keyed hash of the user.",
    "received_at": "When the broker received it.",
    "start_ref": "Where the start message can be read again.",
    "complete_ref": "Where the message can be read again.",
    "lost": "Started too long ago to be still on its way.",
    "closed_by_state": "A state message said that it ended.",
    # Dead letters and alerts.
    "topic": "Topic.",
    "reason": "Why a message could not be used, or an alert is not to be told.",
    "detail": "A sentence for people.",
    "headers": "Headers of the broker.",
    "replayed_at": "When it was used after all.",
    "replayed": "Those that were used after all.",
    "died_at": "When it was found unusable.",
    "emptied_at": "When its body was thrown away.",
    "kind": "What it is.",
    "ref": "Where the message can be read again.",
    "rule": "Rule that raised it; in a silence * stands for any letters.",
    "subject": "What it is about; in a silence * stands for any letters.",
    "raised_at": "When the rule first found it.",
    "cleared_at": "When it was well again; none: open.",
    "value": "What the rule measured, in its own unit.",
    "threshold": "What it compared the value with.",
    "author": "Who said so.",
    "created_at": "Since when.",
    "ends_at": "Until when.",
    "silenced_until": "Nobody is told before.",
    # The service itself.
    "broker": "Address of the broker, or of Kafka.",
    "sampled_at": "When it was last sampled.",
    "depth": "Messages that wait; none: not known.",
    "depth_max": "Most that waited in the range.",
    "oldest_s": "Age of the oldest one, in seconds.",
    "consumers": "Consumers of the queue.",
    "expired": "Messages that nobody read in time.",
    "dead": "Messages that could not be used.",
    "enqueue_rate": "Messages per second that came since the sample before.",
    "dequeue_rate": "Messages per second that were taken out since the sample before.",
    "status": "How it was found: message, endpoint, host, domain, ambiguous or unknown.",
    "since": "From when on the topology puts the host there; none: always, or not the topology.",
    "source": "FTS instance, topic, or file: where it comes from.",
    "last_event_at": "Newest event time.",
    "last_received_at": "Newest receipt time.",
    "last_committed_at": "When the newest message was stored.",
    "received": "Messages received: stored, duplicate or dead.",
    "stored": "Messages that were new and usable.",
    "duplicate": "Messages that were there already.",
    "lateness_max_s": "Seconds from event to receipt, of the latest message.",
    "finished": "Finished transfers.",
    "paired": "Those that found their start.",
    "completeness": "paired / finished.",
    "in_flight": "Starts that wait for their complete.",
    "revision": "Rising number.",
    "loaded_at": "When it came into use.",
    "confirmed_at": "When a load last found it to be so.",
    "age_s": "Seconds since then.",
    "run_at": "When it ran.",
    "window_from": "First window that was compared.",
    "window_to": "End of the last one.",
    "cells": "Cells that were compared.",
    "differing": "Cells that differ from the transfers.",
    "final_until": "Windows that end by then are final.",
    "held_by": "What keeps the next ones from it.",
    "looked_at": "When it was last looked at.",
}
_SIDES = {"src": "the source", "dst": "the destination"}
_ENDS = {"host": "Host", "site": "Site", "country": "Country", "endpoint": "VO endpoint", "url": "URL"}
_STAGES = {
    "streaming": "Streaming time",
    "total": "Time of the whole process",
    "srm_prep": "SRM preparation",
    "srm_fin": "SRM finalisation",
    "checksum_src": "Checksum at the source",
    "checksum_dst": "Checksum at the destination",
    "throughput": "Throughput of single transfers",
    "wait": "Wait in the queue",
    "staging": "Staging from tape",
}
_QUEUES = {"active": "Active transfers", "ready": "Transfers that wait", "ratio": "Percent of the limit"}
_PARTS = {
    "count": "transfers that have it",
    "mean": "mean",
    "min": "smallest",
    "max": "largest",
    "last": "last sample",
    "avg": "mean of samples",
}
assert set(STAGES) <= set(_STAGES)


def meaning(column: str) -> str | None:
    """What the column says; None for a name that nobody described."""
    if column in _MEANINGS:
        return _MEANINGS[column]
    first, _, rest = column.partition("_")
    if first in _SIDES and rest in _ENDS:
        return f"{_ENDS[rest]} of {_SIDES[first]}."
    if first in _SIDES and rest == "status":
        return f"How {_SIDES[first]} was found in the topology."
    if first == "error":
        return _MEANINGS.get(rest, "Message of the failure.")
    return _measure(column)


def _measure(column: str) -> str | None:
    stage, _, part = column.rpartition("_")
    what = _STAGES.get(stage) or _QUEUES.get(stage)
    if what is None:
        return None
    if part == "ms":
        return f"{what}."
    if part in _PARTS:
        return f"{what}: {_PARTS[part]}."
    is_percentile = part.startswith("p") and part[1:].replace(".", "", 1).isdecimal()
    return f"{what}: {part[1:]} % lie below it." if is_percentile else None
