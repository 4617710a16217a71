"""OIDC tokens: what holds, and everything that must not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from pipeline.web.access import Caller, Role
from pipeline.web.config import Oidc
from pipeline.web.oidc import AGAIN_S, FRESH_S, KEPT_S, MOST_TOKEN, Issuer
from pipeline.web.problems import Problem

ISSUER = "https://iam.example.org/"
AUDIENCE = "https://transferscope.example.org"
RSA_KEY = rsa.generate_private_key(65537, 2048)
OTHER_RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def public(key: Any, kid: str, **more: Any) -> dict[str, Any]:
    algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, **more}


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    usual = {
        "iss": ISSUER,
        "sub": "2b7f",
        "aud": AUDIENCE,
        "iat": now,
        "nbf": now,
        "exp": now + 600,
        "wlcg.ver": "1.0",
        "wlcg.groups": ["/atlas", "/atlas/ops"],
    }
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def signed(key: Any = RSA_KEY, kid: str | None = "r", algorithm: str = "RS256", **changes: Any) -> str:
    return jwt.encode(claims(**changes), key, algorithm, headers={} if kid is None else {"kid": kid})


class Away:
    """The issuer's web server, and a clock."""

    def __init__(self) -> None:
        self.keys: list[Any] = [public(RSA_KEY, "r"), public(EC_KEY, "e", use="sig", alg="ES256")]
        self.described: Mapping[str, Any] = {"issuer": ISSUER, "jwks_uri": "https://iam.example.org/jwk"}
        self.is_away = False
        self.asked = 0
        self.now = 0.0
        config = Oidc(ISSUER, (AUDIENCE, "https://wlcg.example.org/any"), ("/atlas",), ("/atlas/ops",), ("/admins",))
        self.issuer = Issuer(config, self.fetch, lambda: self.now)

    def fetch(self, address: str) -> bytes:
        if self.is_away:
            raise OSError("connection refused")
        if address == "https://iam.example.org/.well-known/openid-configuration":
            self.asked += 1
            return json.dumps(self.described).encode()
        assert address == "https://iam.example.org/jwk"
        return json.dumps({"keys": self.keys}).encode()

    def refused(self, token: str, status: int = 401) -> str:
        with pytest.raises(Problem) as problem:
            self.issuer.caller(token)
        assert problem.value.status == status
        if status == 401:
            assert problem.value.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token"')
        return problem.value.detail


@pytest.fixture
def away() -> Away:
    return Away()


@pytest.mark.parametrize(("key", "kid", "algorithm"), [(RSA_KEY, "r", "RS256"), (EC_KEY, "e", "ES256")])
def test_a_good_token_tells_who_asks_and_the_highest_role_of_his_groups(
    away: Away, key: Any, kid: str, algorithm: str
) -> None:
    expected = Caller(Role.OPERATOR, "2b7f", f"oidc {ISSUER}")
    assert away.issuer.caller(signed(key, kid, algorithm)) == expected
    assert away.issuer.caller(signed(key, kid, algorithm, **{"wlcg.groups": ["/x", "/atlas"]})).role is Role.READER
    assert away.issuer.caller(signed(key, kid, algorithm, aud=["x", AUDIENCE])) == expected
    assert away.asked == 1


@pytest.mark.parametrize(
    "groups", [None, [], "/atlas", 7, ["/atlas/"], ["atlas"], ["/ATLAS"], [["/atlas"], 7, None], ["/atlas/ops/x"]]
)
def test_groups_without_a_role_are_told_so(away: Away, groups: Any) -> None:
    assert "none of its wlcg.groups has a role" in away.refused(signed(**{"wlcg.groups": groups}), 403)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"exp": int(time.time()) - 3600}, "has expired"),
        ({"exp": None}, "exp"),
        ({"iat": None}, "iat"),
        ({"sub": None}, "sub"),
        ({"nbf": int(time.time()) + 3600}, "not yet valid"),
        ({"aud": "https://other.example.org"}, f"aud is not {AUDIENCE}"),
        ({"aud": AUDIENCE + "/"}, "aud is not"),
        ({"aud": None}, "aud"),
        ({"iss": "https://iam.example.org"}, f"iss is not {ISSUER}"),
        ({"iss": "https://evil.example.org/"}, "iss is not"),
    ],
)
def test_a_token_of_another_time_place_or_issuer_is_refused(away: Away, changes: dict[str, Any], why: str) -> None:
    assert why in away.refused(signed(**changes))


def test_another_key_under_a_known_id_is_refused(away: Away) -> None:
    assert "signature" in away.refused(signed(OTHER_RSA_KEY))
    head, body, signature = signed().split(".")
    other = base64.urlsafe_b64encode(json.dumps(claims(sub="root")).encode()).rstrip(b"=").decode()
    assert "signature" in away.refused(f"{head}.{other}.{signature}")
    assert body != other


def by_hand(header: dict[str, Any], secret: bytes | None, payload: dict[str, Any] | None = None) -> str:
    """A token made without a library, as an attacker does."""

    def part(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

    text = f"{part(json.dumps(header).encode())}.{part(json.dumps(payload or claims()).encode())}"
    return f"{text}.{'' if secret is None else part(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


def test_the_public_key_is_no_shared_secret_and_none_is_no_algorithm(away: Away) -> None:
    for form in (serialization.PublicFormat.SubjectPublicKeyInfo, serialization.PublicFormat.PKCS1):
        secret = RSA_KEY.public_key().public_bytes(serialization.Encoding.PEM, form)
        assert "alg is not that of its key, RS256" in away.refused(by_hand({"alg": "HS256", "kid": "r"}, secret))
    for name in ("none", "None", "NONE", "", "RS512", "ES256", None):
        assert "alg is not that of its key" in away.refused(by_hand({"alg": name, "kid": "r"}, None))
    assert "RS256" in away.refused(by_hand({"alg": "HS256", "kid": "r"}, b""))


def test_keys_that_the_token_brings_along_are_not_used(away: Away) -> None:
    bringing = {
        "jwk": public(OTHER_RSA_KEY, "r"),
        "jku": "https://evil.example.org/jwk",
        "x5u": "https://evil.example.org",
    }
    token = jwt.encode(claims(), OTHER_RSA_KEY, "RS256", headers={"kid": "r", **bringing})
    assert "signature" in away.refused(token)


@pytest.mark.parametrize("kid", [None, "", "x", "../../etc/passwd"])
def test_an_unknown_key_id_is_refused_and_asked_for_once_a_minute(away: Away, kid: str | None) -> None:
    away.issuer.caller(signed())
    for _ in range(5):
        assert "kid is none of the issuer's keys" in away.refused(signed(OTHER_RSA_KEY, kid))
    assert away.asked == 1
    away.now += AGAIN_S
    for _ in range(5):
        away.refused(signed(OTHER_RSA_KEY, kid))
    assert away.asked == 2


def test_rotated_keys_are_found_and_the_old_ones_end(away: Away) -> None:
    away.issuer.caller(signed())
    away.keys = [public(OTHER_RSA_KEY, "new")]
    away.now += AGAIN_S
    assert away.issuer.caller(signed(OTHER_RSA_KEY, "new")).role is Role.OPERATOR
    assert "kid is none" in away.refused(signed())


def test_a_withdrawn_key_ends_within_an_hour_though_its_tokens_go_on_coming(away: Away) -> None:
    away.issuer.caller(signed())
    away.keys = [public(EC_KEY, "e")]
    away.now += FRESH_S
    assert "kid is none" in away.refused(signed())


def test_the_last_good_keys_serve_while_the_issuer_is_away_but_not_for_ever(away: Away) -> None:
    away.issuer.caller(signed())
    away.is_away = True
    away.now += FRESH_S
    assert away.issuer.caller(signed()).name == "2b7f"
    away.now = KEPT_S
    assert "cannot be reached" in away.refused(signed(), 503)


def test_an_issuer_that_never_answered_is_said(away: Away) -> None:
    away.is_away = True
    sentence = away.refused(signed(), 503)
    assert sentence == f"the issuer {ISSUER} cannot be reached, so tokens cannot be checked: connection refused"
    away.is_away = False
    away.refused(signed(), 503)
    away.now += AGAIN_S
    assert away.issuer.caller(signed()).name == "2b7f"


@pytest.mark.parametrize(
    "described",
    [{}, {"issuer": "https://evil.example.org/", "jwks_uri": "https://iam.example.org/jwk"}, [], "x"]
    + [{"issuer": ISSUER, "jwks_uri": uri} for uri in (None, 7, "http://iam.example.org/jwk", "file:///etc/passwd")],
)
def test_a_configuration_that_is_not_the_issuers_gives_no_keys(away: Away, described: Any) -> None:
    away.described = described
    away.refused(signed(), 503)


@pytest.mark.parametrize(
    "key",
    [
        *(None, 7, [], {"kid": "r"}, {"kid": 7, "kty": "RSA"}, {"kid": "r", "kty": "oct", "k": "c2VjcmV0"}),
        *(public(RSA_KEY, "r", use="enc"), public(RSA_KEY, "r", alg="HS256")),
        {"kid": "r", "kty": "RSA", "n": "!", "e": "AQAB"},
    ],
)
def test_a_key_of_no_use_is_left_out(away: Away, key: Any) -> None:
    away.keys = [key, public(EC_KEY, "e")]
    assert "kid is none" in away.refused(signed())
    assert away.issuer.caller(signed(EC_KEY, "e", "ES256")).name == "2b7f"
    away.keys = [key]
    away.now += FRESH_S
    assert away.issuer.caller(signed(EC_KEY, "e", "ES256")).name == "2b7f", "the last good ones stay"


@pytest.mark.parametrize(
    "token",
    [
        *("..", "a.b.c", "\0.\0.\0", "e30.e30.e30", "é.é.é"),
        *(f"{base64.urlsafe_b64encode(b'[' * 6000).decode()}.e30.x", f"e30.{'e' * MOST_TOKEN}.x"),
    ],
)
def test_what_is_no_token_is_refused(away: Away, token: str) -> None:
    assert away.refused(token).startswith("the token")
