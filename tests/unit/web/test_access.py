"""Tokens and roles."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.web.access import Role, Tokens, require
from pipeline.web.problems import Problem


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    readers, operators = tmp_path / "readers", tmp_path / "operators"
    readers.write_text("# shifts\none\n\ntwo\n")
    operators.write_text("three\ntwo\n")
    return Tokens(readers, operators)


@pytest.mark.parametrize(
    ("header", "role"),
    [(None, 0), ("", 0), ("Bearer one", 1), ("bearer  three", 2), ("Bearer two", 2)],
)
def test_the_token_tells_the_role_the_higher_of_two(tokens: Tokens, header: str | None, role: int) -> None:
    assert tokens.role(header) == role


@pytest.mark.parametrize("header", ["Bearer four", "Bearer ", "Basic one", "Bearer # shifts", "Bearer \u00e9"])
def test_an_unknown_token_is_refused(tokens: Tokens, header: str) -> None:
    with pytest.raises(Problem) as refused:
        tokens.role(header)
    assert (refused.value.status, refused.value.headers) == (401, {"WWW-Authenticate": "Bearer"})


def test_a_role_may_do_what_lower_ones_may() -> None:
    for has in Role:
        for needed in Role:
            if has >= needed:
                require(has, needed)
            else:
                with pytest.raises(Problem) as refused:
                    require(has, needed)
                assert refused.value.status == (401 if has is Role.ANONYMOUS else 403)
