"""The state messages of the FTS server, and the broken ones among them."""

from __future__ import annotations

from pipeline.simulator.naming import names_of
from pipeline.simulator.spoiling import Spoils, no_time, shifted, too_late, too_old, without
from pipeline.simulator.states import SUBMITTED, FileState
from pipeline.simulator.styled import styled

_FIELDS = {
    "dest_se": '"%(dst)s"',
    "dst_url": '"%(dst_url)s"',
    "endpnt": '"%(fts)s"',
    "file_id": "%(file_id)d",
    "file_metadata": "%(file_metadata)s",
    "file_state": '"%(state)s"',
    "job_id": '"%(job_id)s"',
    "job_metadata": "%(job_metadata)s",
    "job_state": '"%(job_state)s"',
    "reason": '"%(reason)s"',
    "retry_counter": "%(retry)d",
    "retry_max": "3",
    "source_se": '"%(src)s"',
    "src_url": '"%(src_url)s"',
    "staging_finished": "%(staged)d",
    "staging_start": "%(staging)d",
    "submit_time": "%(submitted)d",
    "timestamp": "%(at)s",
    "user_dn": '""',
    "user_filesize": "%(size)d",
    "vo_name": '"%(vo)s"',
}
_STATE = styled(_FIELDS) + " "
_FIRST = styled({name: form for name, form in _FIELDS.items() if name not in ("submit_time", "reason")}) + " "

SPOILS: Spoils = {
    "no_id": lambda fields, noise: without(fields, ("job_id", "file_id")[noise % 2]),
    "unknown_state": lambda fields, noise: fields.update(file_state=("RESTING", "", None)[noise % 3]),
    "no_time": lambda fields, noise: no_time(fields, ("timestamp",), noise),
    "bad_time": lambda fields, noise: fields.update(timestamp=("soon", -1, True)[noise % 3]),
    "future": lambda fields, noise: shifted(fields, ("timestamp",), too_late),
    "too_old": lambda fields, noise: shifted(fields, ("timestamp",), too_old),
}
"""What can be wrong with a state message, by the reason for which it ends as a dead letter."""


def state_body(state: FileState) -> bytes:
    """A state message. The REST server makes the first one: it has no ``submit_time`` and tells fractions of ms."""
    file = state.file
    names = names_of(file)
    first = state.state == SUBMITTED and not state.submitted_ms
    form = _FIRST if first else _STATE
    fields = {
        "src": f"{file.link.src.scheme}://{file.link.src.name}",
        "dst": f"{file.link.dst.scheme}://{file.link.dst.name}",
        "src_url": names.src_url,
        "dst_url": names.dst_url,
        "fts": file.fts,
        "file_id": file.file_id,
        "file_metadata": names.file_metadata,
        "state": state.state,
        "job_id": file.job_id,
        "job_metadata": names.job_metadata,
        "job_state": state.job_state,
        "reason": state.reason,
        "retry": state.attempt,
        "staged": state.staging[1],
        "staging": state.staging[0],
        "submitted": state.submitted_ms,
        "at": f"{state.at_ms}.25" if first else str(state.at_ms),
        "size": file.size,
        "vo": file.link.vo,
    }
    return (form % fields).encode()
