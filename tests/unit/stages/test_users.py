"""Users as keyed hashes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.users import NO_USERS, Users

KEYS = st.binary(min_size=16, max_size=200)
NAMES = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=400)


@given(KEYS, NAMES, NAMES)
def test_a_hash_stands_for_one_user_and_one_key(key: bytes, one: str, other: str) -> None:
    users = Users(key)
    assert users.hash(one) == users.hash(one) == Users(key).hash(one)
    assert (users.hash(one) == users.hash(other)) == (one == other)
    if one:
        assert len(users.hash(one)) == 32
        assert users.hash(one) != Users(key + b"1").hash(one)


@given(NAMES)
def test_nothing_is_kept_of_nobody_and_without_a_key(name: str) -> None:
    assert NO_USERS.hash(name) == ""
    assert Users(b"a key of some length").hash("") == ""
