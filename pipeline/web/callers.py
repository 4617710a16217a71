"""Whose a token is: one of the store, or one that an OIDC issuer has signed."""

from __future__ import annotations

from pipeline.web.access import NOBODY, Caller, Tokens, refused
from pipeline.web.oidc import Issuer
from pipeline.web.problems import Problem


class Callers:
    """Tokens of the store have no dots, those of an issuer (JWT) have two."""

    def __init__(self, tokens: Tokens, issuer: Issuer | None = None) -> None:
        self._tokens = tokens
        self._issuer = issuer

    def of(self, secret: str) -> Caller:
        """Whose token it is. Raises Problem 401 for one that lets nobody in, 503 while the issuer's keys cannot be had;
        Busy, Unavailable."""
        if self._issuer is not None and secret.count(".") == 2:
            return self._issuer.caller(secret)
        found = self._tokens.known(secret)
        if found is None:
            raise refused()
        return found

    def by_header(self, authorization: str) -> Caller:
        """The caller of an Authorization header, nobody for an empty one; raises as ``of``."""
        if not authorization:
            return NOBODY
        scheme, _, secret = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise refused(f"the scheme {scheme[:20]} is not taken")
        return self.of(secret.strip())

    def by_cookie(self, secret: str) -> Caller:
        """The caller of a cookie. It outlives its token: one that lets nobody in any more stands for nobody."""
        try:
            return self.of(secret) if secret else NOBODY
        except Problem as problem:
            if problem.status != 401:
                raise
            return NOBODY
