"""The API with tokens of an issuer: a small HTTPS server whose keys are made here, asked over TLS."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi.testclient import TestClient
from jwt.algorithms import ECAlgorithm

from pipeline.web.app import create_app
from pipeline.web.config import Oidc, WebConfig
from pipeline.web.oidc import https_fetch
from pipeline.web.serving import Server
from tests.support.certificates import Authority
from tests.support.database import Database
from tests.support.lines import COMPLETE, NOON_MS, complete, line, write
from tests.support.shell import Shell
from tests.support.web import Web, web

pytestmark = pytest.mark.stack

KEY = ec.generate_private_key(ec.SECP256R1())
CONFIGURATION, JWKS = "/.well-known/openid-configuration", "/jwk"


class Grid:
    """An issuer and the API that trusts it."""

    def __init__(self, issuer: Web, database_url: str, ca_file: Path) -> None:
        self.issuer = issuer
        self.name = f"{issuer.address}/"
        key = {**ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True), "kid": "k"}
        issuer.pages[JWKS] = json.dumps({"keys": [key]}).encode()
        described = {"issuer": self.name, "jwks_uri": f"{issuer.address}{JWKS}"}
        issuer.pages[CONFIGURATION] = json.dumps(described).encode()
        oidc = Oidc(self.name, ("transferscope",), ("/cms",), ("/cms/ops",), (), ca_file)
        config = WebConfig(database_url, oidc=oidc)
        self.client = TestClient(create_app(config, Server(config, lambda _: {}, clock=lambda: NOON_MS / 1000)))

    def token(self, **changes: Any) -> str:
        now = int(time.time())
        claims = {"iss": self.name, "aud": "transferscope", "sub": "ann", "iat": now, "exp": now + 600}
        return jwt.encode({**claims, "wlcg.groups": ["/cms/ops"], **changes}, KEY, "ES256", headers={"kid": "k"})

    def get(self, path: str, token: str) -> Any:
        return self.client.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def grid(database_url: str, tmp_path: Path) -> Iterator[Grid]:
    authority = Authority(tmp_path)
    with web(authority.pair("issuer", "127.0.0.1")) as issuer:
        made = Grid(issuer, database_url, authority.certificate)
        with made.client:
            yield made


def test_groups_give_the_role_and_the_audit_names_the_subject(
    grid: Grid, shell: Shell, database: Database, tmp_path: Path
) -> None:
    shell("replay", write(tmp_path / "traffic.jsonl", [line(COMPLETE, complete(1))]))
    reader, operator = grid.token(**{"wlcg.groups": ["/cms"]}), grid.token()
    assert grid.get("/transfers/id-1", reader).status_code == 200
    assert grid.get("/dead-letters", reader).status_code == 403
    assert grid.get("/transfers/id-1/messages", operator).status_code == 200
    assert database.ask("SELECT who, via, action FROM report.audit") == [("ann", f"oidc {grid.name}", "read messages")]
    assert [path for path, *_ in grid.issuer.asked] == [CONFIGURATION, JWKS]


def test_a_refusal_is_a_problem_document_that_says_why(grid: Grid) -> None:
    for token, status, why in (
        (grid.token(exp=int(time.time()) - 3600), 401, "the token has expired"),
        (grid.token(aud="other"), 401, "the token's aud is not transferscope"),
        (grid.token(**{"wlcg.groups": ["/atlas"]}), 403, "none of its wlcg.groups has a role here"),
        (grid.token()[:-8] + "AAAAAAAA", 401, "signature"),
    ):
        reply = grid.get("/transfers", token)
        assert (reply.status_code, reply.headers["content-type"]) == (status, "application/problem+json")
        assert why in reply.json()["detail"]
        assert ("WWW-Authenticate" in reply.headers) == (status == 401)


def test_a_browser_signs_in_with_one(grid: Grid) -> None:
    signed = grid.client.post("/sign-in", data={"token": grid.token()}, follow_redirects=False)
    assert signed.status_code == 303
    assert grid.client.get("/transfers").status_code == 200


def test_an_issuer_that_is_away_is_said_and_tokens_of_the_store_go_on(grid: Grid, shell: Shell) -> None:
    del grid.issuer.pages[CONFIGURATION]
    reply = grid.get("/transfers", grid.token())
    assert (reply.status_code, reply.headers["retry-after"]) == (503, "60")
    assert f"the issuer {grid.name} cannot be reached" in reply.json()["detail"]
    own = shell.json("tokens", "add", "x")["token"]
    assert grid.get("/transfers", own).status_code == 200
    assert grid.client.get("/api/v1/links").status_code == 200, "who sends none is not kept waiting"


def test_documents_come_over_tls_from_where_they_should_and_are_small(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other", "Other Authority")
    with web(authority.pair("issuer", "127.0.0.1")) as issuer, web() as plain:
        issuer.pages |= {"/small": b"{}", "/large": b" " * 300_000}
        issuer.moved["/moved"] = "/small"
        plain.pages["/small"] = b"{}"
        fetch = https_fetch(authority.certificate)
        assert fetch(f"{issuer.address}/small") == b"{}"
        for address in (f"{issuer.address}/large", f"{issuer.address}/moved", f"{issuer.address}/none"):
            with pytest.raises(OSError, match=r"more than|302|404"):
                fetch(address)
        with pytest.raises(OSError, match="certificate verify failed"):
            https_fetch(other.certificate)(f"{issuer.address}/small")
        for address in (f"{plain.address}/small", "file:///etc/passwd", "ftp://127.0.0.1/x"):
            with pytest.raises(OSError, match="is no https address"):
                fetch(address)
        assert plain.asked == []
