"""Tokens and roles."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

import pytest

from pipeline.store.session import Unavailable
from pipeline.store.tokens import Token, Usable, digest_of
from pipeline.web.access import FRESH_S, NOBODY, Caller, Role, Tokens, require
from pipeline.web.callers import Callers
from pipeline.web.problems import Problem

NOW = 1_795_000_000.0
MADE = datetime.fromtimestamp(NOW - 1000, UTC)


def token(number: int, secret: str, role: str = "reader", vos: tuple[str, ...] | None = None, life: int = 60) -> Usable:
    expires = datetime.fromtimestamp(NOW + life, UTC)
    return Usable(digest_of(secret), Token(number, f"name of {secret}", role, vos, MADE, expires, None, None))


class Kept:
    """A store of tokens, and both clocks."""

    def __init__(self) -> None:
        self.usable = [token(1, "one"), token(2, "two", "operator", ("atlas",)), token(3, "three", "administrator")]
        self.told: list[list[int]] = []
        self.now = NOW
        self.is_away = False
        self.tokens = Tokens(self.load, lambda: self.now, lambda: self.now)
        self.callers = Callers(self.tokens)

    def load(self, used: Collection[int]) -> list[Usable]:
        if self.is_away:
            raise Unavailable("PostgreSQL", "here", "gone")
        self.told.append(sorted(used))
        return list(self.usable)


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.mark.parametrize(
    ("header", "caller"),
    [
        ("", NOBODY),
        ("Bearer one", Caller(Role.READER, "name of one", "token 1")),
        ("bearer  two ", Caller(Role.OPERATOR, "name of two", "token 2", ("atlas",))),
        ("BEARER three", Caller(Role.ADMINISTRATOR, "name of three", "token 3")),
    ],
)
def test_the_token_tells_who_asks(kept: Kept, header: str, caller: Caller) -> None:
    assert kept.callers.by_header(header) == caller


@pytest.mark.parametrize("header", ["Bearer four", "Bearer ", "Basic one", "Bearer name of one", "Bearer é"])
def test_an_unknown_token_is_refused(kept: Kept, header: str) -> None:
    with pytest.raises(Problem) as refused:
        kept.callers.by_header(header)
    assert refused.value.status == 401
    assert refused.value.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token"')


def test_a_digest_is_no_token(kept: Kept) -> None:
    assert kept.tokens.known(digest_of("one").hex()) is None


def test_a_token_ends_at_its_second_though_the_store_was_asked_before(kept: Kept) -> None:
    kept.usable.append(token(4, "short", life=2))
    assert kept.tokens.known("short") is not None
    kept.now += 2
    assert kept.tokens.known("short") is None
    assert len(kept.told) == 1


def test_the_store_is_asked_once_in_seconds_and_told_who_came(kept: Kept) -> None:
    for secret in ("one", "two", "one", "nothing", "two"):
        kept.tokens.known(secret)
    assert kept.told == [[]]
    kept.now += FRESH_S
    kept.tokens.known("three")
    assert kept.told == [[], [1, 2]]
    kept.now += FRESH_S
    kept.tokens.known("nothing")
    assert kept.told == [[], [1, 2], [3]]


def test_a_revoked_token_ends_and_a_new_one_begins_within_seconds(kept: Kept) -> None:
    assert kept.tokens.known("one") is not None
    kept.usable = [token(9, "new")]
    kept.now += FRESH_S
    assert kept.tokens.known("one") is None
    assert kept.tokens.known("new") is not None


def test_while_the_store_is_away_tokens_stay_and_their_use_is_told_later(kept: Kept) -> None:
    assert kept.tokens.known("one") is not None
    kept.is_away = True
    kept.now += FRESH_S
    assert kept.tokens.known("two") is not None
    kept.is_away = False
    kept.now += FRESH_S
    kept.tokens.known("three")
    assert kept.told == [[], [1, 2]]


def test_without_any_look_at_the_store_nobody_is_taken_for_unknown(kept: Kept) -> None:
    kept.is_away = True
    with pytest.raises(Unavailable):
        kept.callers.by_header("Bearer one")
    assert kept.callers.by_cookie("") == NOBODY, "who sends no token needs no store"


def test_a_cookie_that_lets_nobody_in_stands_for_nobody(kept: Kept) -> None:
    assert kept.callers.by_cookie("gone") == NOBODY
    assert kept.callers.by_cookie("one").role is Role.READER


def test_a_role_may_do_what_lower_ones_may() -> None:
    for has in Role:
        for needed in Role:
            if has >= needed:
                require(Caller(has), needed)
            else:
                with pytest.raises(Problem) as refused:
                    require(Caller(has), needed)
                assert refused.value.status == (401 if has is Role.ANONYMOUS else 403)


def test_what_has_no_vo_is_not_for_a_token_of_some() -> None:
    require(Caller(Role.OPERATOR), Role.OPERATOR, all_vos=True)
    with pytest.raises(Problem, match="a token of all VOs, and yours is one of atlas, cms") as refused:
        require(Caller(Role.ADMINISTRATOR, vos=("atlas", "cms")), Role.OPERATOR, all_vos=True)
    assert refused.value.status == 403
