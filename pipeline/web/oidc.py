"""Bearer tokens that an OIDC issuer has signed, after the WLCG Common JWT Profiles: issuer, audience, time, signature,
and roles from ``wlcg.groups``.

Keys come from the issuer's ``jwks_uri``. They are asked for again after an hour, and at once for a key id that is not
known, since keys rotate; while the issuer is away the last good ones serve. The algorithm follows from the key, never
from the token, so that no public key is ever taken for a shared secret.
"""

from __future__ import annotations

import json
import logging
import ssl
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import jwt

from pipeline.web.access import Caller, Role, refused
from pipeline.web.config import Oidc
from pipeline.web.problems import Problem

log = logging.getLogger(__name__)

ALGORITHMS = {("RSA", None): "RS256", ("EC", "P-256"): "ES256"}
"""Of keys by their type and curve: the two that the profile has issuers use."""

FRESH_S = 3600.0
AGAIN_S = 60.0
"""Tokens with made-up key ids must not have the issuer asked more often."""
KEPT_S = 4 * 86_400.0
"""For so long the last good keys serve an issuer that is away."""
LEEWAY_S = 60
MOST_TOKEN = 16_384
_MOST_BYTES = 262_144
_TIMEOUT_S = 5.0
_NEEDED = ["iss", "sub", "aud", "exp", "iat"]

Fetch = Callable[[str], bytes]
"""The document of an address. Raises OSError."""


class _Keys(NamedTuple):
    by_id: Mapping[str, jwt.PyJWK]
    at: float


class _Away(Exception):
    """The issuer's keys cannot be had; the text says why."""


class Issuer:
    """The one issuer whose tokens are taken. Safe for several threads."""

    def __init__(self, config: Oidc, fetch: Fetch | None = None, passed: Callable[[], float] = time.monotonic) -> None:
        """``passed`` counts seconds. Raises OSError for a file of authorities that cannot be read."""
        self._config = config
        self._fetch = fetch or https_fetch(config.ca_file)
        self._passed = passed
        self._keys: _Keys | None = None
        self._asked_at: float | None = None
        self._why = ""
        self._lock = Lock()
        self._roles = {
            **dict.fromkeys(config.readers, Role.READER),
            **dict.fromkeys(config.operators, Role.OPERATOR),
            **dict.fromkeys(config.administrators, Role.ADMINISTRATOR),
        }

    def caller(self, token: str) -> Caller:
        """Whose token it is. Raises Problem: 401 for one that does not hold, 403 for one whose groups have no role, 503
        while there are no keys to check it with."""
        claims = self._claims(token)
        groups = claims.get("wlcg.groups")
        listed = groups if isinstance(groups, list) else []
        held = [self._roles[group] for group in listed if isinstance(group, str) and group in self._roles]
        if not held:
            raise Problem(403, "the token holds, but none of its wlcg.groups has a role here: ask for one of them")
        return Caller(max(held), str(claims["sub"])[:200], f"oidc {self._config.issuer}")

    def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > MOST_TOKEN:
            raise refused(f"the token has more than {MOST_TOKEN} characters")
        try:
            header = jwt.get_unverified_header(token)
            key = self._key(header.get("kid"))
            if header.get("alg") != key.algorithm_name:
                raise refused(f"the token's alg is not that of its key, {key.algorithm_name}")
            return jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                issuer=self._config.issuer,
                audience=self._config.audience,
                leeway=LEEWAY_S,
                options={"require": _NEEDED},
            )
        except jwt.ExpiredSignatureError as error:
            raise refused("the token has expired") from error
        except jwt.InvalidAudienceError as error:
            raise refused(f"the token's aud is not {' or '.join(self._config.audience)}") from error
        except jwt.InvalidIssuerError as error:
            raise refused(f"the token's iss is not {self._config.issuer}") from error
        except jwt.InvalidSignatureError as error:
            raise refused("the token's signature is not that of its key") from error
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise refused(f"the token is no valid JWT ({str(error)[:100]})") from error

    def _key(self, kid: object) -> jwt.PyJWK:
        try:
            keys = self._known(kid)
        except _Away as away:
            sentence = f"the issuer {self._config.issuer} cannot be reached, so tokens cannot be checked: {away}"
            raise Problem(503, sentence, headers={"Retry-After": str(int(AGAIN_S))}) from away
        if not isinstance(kid, str) or kid not in keys:
            raise refused("the token's kid is none of the issuer's keys")
        return keys[kid]

    def _known(self, kid: object) -> Mapping[str, jwt.PyJWK]:
        """The keys, asked for anew where they are old or lack this one. Raises _Away."""
        keys = self._keys
        if keys is None or self._passed() - keys.at >= FRESH_S or kid not in keys.by_id:
            with self._lock:
                self._refresh()
            keys = self._keys
        if keys is None or self._passed() - keys.at >= KEPT_S:
            raise _Away(self._why)
        return keys.by_id

    def _refresh(self) -> None:
        now = self._passed()
        if self._asked_at is not None and now - self._asked_at < AGAIN_S:
            return
        self._asked_at = now
        try:
            self._keys = _Keys(self._fetched(), now)
        except (OSError, ValueError, RecursionError) as error:
            self._why = str(error) or type(error).__name__
            log.warning("the keys of %s cannot be had, the last good ones serve: %s", self._config.issuer, self._why)

    def _fetched(self) -> dict[str, jwt.PyJWK]:
        issuer = self._config.issuer
        described = json.loads(self._fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration"))
        if not isinstance(described, dict) or described.get("issuer") != issuer:
            raise ValueError("its configuration is of another issuer")
        address = described.get("jwks_uri")
        if not isinstance(address, str) or urlsplit(address).scheme != "https":
            raise ValueError("its jwks_uri is no https address")
        document = json.loads(self._fetch(address))
        listed = document.get("keys") if isinstance(document, dict) else None
        found = {}
        for each in listed if isinstance(listed, list) else []:
            if (key := _usable(each)) is not None:
                found[str(each["kid"])] = key
        if not found:
            raise ValueError("it has no key for RS256 or ES256")
        return found


def _usable(key: object) -> jwt.PyJWK | None:
    """A key that checks signatures; None for one of another use or kind."""
    if not isinstance(key, dict) or not isinstance(key.get("kid"), str) or key.get("use", "sig") != "sig":
        return None
    algorithm = ALGORITHMS.get((str(key.get("kty")), key.get("crv")))
    if algorithm is None or key.get("alg", algorithm) != algorithm:
        return None
    try:
        return jwt.PyJWK(key, algorithm)
    except jwt.PyJWTError:
        return None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """An issuer's documents stand where it says; another place might be another's."""


def https_fetch(ca_file: Path | None) -> Fetch:
    """Documents over HTTPS alone, checked by these authorities, else by those of the system."""
    context = ssl.create_default_context(cafile=ca_file)
    opener = urllib.request.OpenerDirector()
    for handler in (urllib.request.HTTPSHandler(context=context), _NoRedirects()):
        opener.add_handler(handler)
    opener.add_handler(urllib.request.HTTPErrorProcessor())
    opener.add_handler(urllib.request.HTTPDefaultErrorHandler())

    def fetch(address: str) -> bytes:
        if urlsplit(address).scheme != "https":
            raise OSError(f"{address} is no https address")
        with opener.open(address, timeout=_TIMEOUT_S) as reply:
            content: bytes = reply.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise OSError(f"{address} has more than {_MOST_BYTES} bytes")
        return content

    return fetch
