"""Who asks, and what each role may: bearer tokens of the store, kept for some seconds."""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import IntEnum
from threading import Lock

from pipeline.store.reading import Busy
from pipeline.store.session import Unavailable
from pipeline.store.tokens import Usable, digest_of
from pipeline.web.problems import Problem

log = logging.getLogger(__name__)

FRESH_S = 5.0
"""For so long a token that was revoked may still be let in, and one that was added not yet."""

Load = Callable[[Collection[int]], list[Usable]]
"""The tokens that hold now, after noting those that were used, by id. Raises Busy, Unavailable."""


class Role(IntEnum):
    """Every role may do what the ones before it may."""

    ANONYMOUS = 0
    READER = 1
    OPERATOR = 2
    ADMINISTRATOR = 3


@dataclass(frozen=True)
class Caller:
    """``via`` says how ``name`` is known: ``token ID`` or ``oidc ISSUER``. ``vos``: whose single transfers may be seen,
    None for all."""

    role: Role
    name: str = ""
    via: str = ""
    vos: tuple[str, ...] | None = None


NOBODY = Caller(Role.ANONYMOUS)


class Tokens:
    """The tokens of the store. Safe for several threads; no request waits for another one's look at the store, but the
    first ones."""

    def __init__(
        self, load: Load, clock: Callable[[], float] = time.time, passed: Callable[[], float] = time.monotonic
    ) -> None:
        """``clock`` tells the time that tokens expire by, in seconds since the epoch; ``passed`` counts seconds."""
        self._load = load
        self._clock = clock
        self._passed = passed
        self._usable: list[Usable] | None = None
        self._looked_at = 0.0
        self._used: set[int] = set()
        self._lock = Lock()
        self._using = Lock()

    def known(self, secret: str) -> Caller | None:
        """Whose token it is; None for one that is not known, expired or revoked. Raises Busy, Unavailable."""
        if not secret:
            return None
        digest, found = digest_of(secret), None
        for usable in self._now():  # all of them, so that the time tells nothing
            if hmac.compare_digest(usable.digest, digest):
                found = usable.token
        if found is None or found.expires_at.timestamp() <= self._clock():
            return None
        with self._using:
            self._used.add(found.id)
        return Caller(Role[found.role.upper()], found.name, f"token {found.id}", found.vos)

    def _now(self) -> list[Usable]:
        usable = self._usable
        if usable is not None and self._passed() - self._looked_at < FRESH_S:
            return usable
        if not self._lock.acquire(blocking=usable is None):
            assert usable is not None
            return usable  # another request is looking
        try:
            if self._usable is None or self._passed() - self._looked_at >= FRESH_S:
                self._look()
            assert self._usable is not None
            return self._usable
        finally:
            self._lock.release()

    def _look(self) -> None:
        with self._using:
            used, self._used = self._used, set()
        try:
            self._usable = self._load(used)
        except (Busy, Unavailable) as error:
            with self._using:
                self._used |= used
            if self._usable is None:
                raise
            log.warning("tokens stay as they were: %s", error or "all connections are in use")
        self._looked_at = self._passed()


def require(caller: Caller, needed: Role, *, all_vos: bool = False) -> None:
    """Raises Problem: 401 for an anonymous user, 403 for one whose token is not enough.

    ``all_vos``: what cannot be told apart by VO is not for tokens of some VOs.
    """
    who = f"{'an' if needed > Role.READER else 'a'} {needed.name.lower()}"
    if caller.role is Role.ANONYMOUS and needed:
        raise Problem(401, f"this needs the token of {who}: send Authorization: Bearer TOKEN", headers=challenge())
    if caller.role < needed:
        raise Problem(403, f"this needs the token of {who}, and yours is one of a {caller.role.name.lower()}")
    if all_vos and caller.vos is not None:
        raise Problem(403, f"this needs a token of all VOs, and yours is one of {', '.join(caller.vos)}")


def refused(why: str = "the token is not known") -> Problem:
    """401 for a token that lets nobody in."""
    return Problem(401, f"{why}: send Authorization: Bearer TOKEN with a valid one", headers=challenge(why))


def challenge(why: str = "") -> dict[str, str]:
    """What RFC 6750 wants beside a 401."""
    if not why:
        return {"WWW-Authenticate": "Bearer"}
    quoted = "".join(character for character in why if " " <= character <= "~" and character not in '"\\')
    return {"WWW-Authenticate": f'Bearer error="invalid_token", error_description="{quoted}"'}
