"""Who asks: bearer tokens out of files, each file one role."""

from __future__ import annotations

import hmac
from enum import IntEnum
from hashlib import sha256
from pathlib import Path

from pipeline.web.problems import Problem


class Role(IntEnum):
    """Every role may do what the ones before it may."""

    ANONYMOUS = 0
    READER = 1
    OPERATOR = 2


class Tokens:
    """The tokens of both roles, read once; lines that are empty or begin with # are none.

    Raises OSError for a file that cannot be read.
    """

    def __init__(self, readers: Path | None, operators: Path | None) -> None:
        self._digests = [
            (_digest(token), role)
            for role, path in ((Role.READER, readers), (Role.OPERATOR, operators))
            if path is not None
            for token in _tokens(path)
        ]

    def role(self, authorization: str | None) -> Role:
        """The role of an Authorization header, anonymous without one; raises Problem 401 for an unknown token."""
        if not authorization:
            return Role.ANONYMOUS
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() == "bearer" and (found := self.known(token.strip())):
            return found
        raise _unknown_token()

    def known(self, token: str) -> Role:
        """The role of a token, anonymous if it is not known."""
        digest, found = _digest(token), Role.ANONYMOUS
        for known, role in self._digests:  # all of them, so that the time tells nothing
            if hmac.compare_digest(known, digest):
                found = max(found, role)
        return found


def require(role: Role, needed: Role) -> None:
    """Raises Problem: 401 for an anonymous user, 403 for one whose token is not enough."""
    if role >= needed:
        return
    who = "an operator" if needed is Role.OPERATOR else f"a {needed.name.lower()}"
    if role is Role.ANONYMOUS:
        raise Problem(401, f"this needs the token of {who}: send Authorization: Bearer TOKEN", headers=_challenge())
    raise Problem(403, f"this needs the token of {who}, and yours is one of a {role.name.lower()}")


def _unknown_token() -> Problem:
    return Problem(
        401, "the token is not known: send Authorization: Bearer TOKEN with a valid one", headers=_challenge()
    )


def _challenge() -> dict[str, str]:
    return {"WWW-Authenticate": "Bearer"}


def _tokens(path: Path) -> list[str]:
    lines = (line.strip() for line in path.read_text("utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
