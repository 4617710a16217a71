"""What can go wrong with a request, as RFC 9457 problem documents: one sentence, never SQL, a path or a stack."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

MEDIA_TYPE = "application/problem+json"

TITLES: dict[int, str] = {
    400: "A parameter cannot be meant",
    401: "A token is needed",
    403: "The token does not allow this",
    404: "There is no such thing",
    405: "This is not done with that address",
    406: "There is no such format",
    429: "Too many requests",
    500: "A bug",
    503: "Not now",
    504: "The question takes too long",
}
NAMES: dict[int, str] = {
    400: "parameter",
    401: "token",
    403: "role",
    404: "unknown",
    405: "method",
    406: "format",
    429: "often",
    500: "bug",
    503: "busy",
    504: "slow",
}


class Fault(BaseModel):
    """One parameter that is wrong: its name, why, and what it may be."""

    parameter: str
    reason: str
    allowed: list[str]


class ProblemDocument(BaseModel):
    """The body of every error."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[Fault] = []


class Problem(Exception):
    """Ends a request with this status; the text says what to do next."""

    def __init__(
        self, status: int, detail: str, errors: Iterable[Fault] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})

    def document(self, request_id: str) -> dict[str, Any]:
        """The body; ``request_id`` stands in the log too."""
        return {
            "type": f"/help#problem-{NAMES.get(self.status, 'bug')}",
            "title": TITLES.get(self.status, TITLES[500]),
            "status": self.status,
            "detail": self.detail,
            "instance": f"urn:request:{request_id}",
            "errors": [error.model_dump() for error in self.errors],
        }


def bad_parameter(name: str, reason: str, allowed: Iterable[str] = ()) -> Problem:
    """400 for one parameter."""
    return Problem(400, f"{name}: {reason}", [Fault(parameter=name, reason=reason, allowed=list(allowed))])


def invalid(errors: Iterable[Mapping[str, Any]], known: Sequence[str]) -> Problem:
    """400 for what pydantic found wrong; ``known`` are the names that could have been meant."""
    faults = []
    for each in errors:
        name = str(each["loc"][0]) if each["loc"] else "body"
        if each["type"] == "extra_forbidden":
            faults.append(unknown_parameter(name, known))
        else:
            expected = each.get("ctx", {}).get("expected")
            faults.append(Fault(parameter=name, reason=each["msg"], allowed=[expected] if expected else []))
    return Problem(400, "; ".join(f"{fault.parameter} {fault.reason}" for fault in faults), faults)


def unknown_parameter(name: str, known: Iterable[str]) -> Fault:
    """The fault of a parameter that nobody knows, with near names, else all."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(names)}"
    return Fault(parameter=name, reason=f"is not a parameter here: {hint}", allowed=near or names)
