"""The name under which a web process connects, in which others read its address."""

from __future__ import annotations

import pytest

from pipeline.store.activity import web_application


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("", "transferscope web"),
        ("http://127.0.0.1:8080", "transferscope web http://127.0.0.1:8080"),
        ("http://a-very-long-name-of-a-host.example.org:8080", "transferscope web"),  # Postgres would cut its end off
    ],
)
def test_an_address_is_told_whole_or_not_at_all(address: str, name: str) -> None:
    assert web_application(address) == name
    assert len(name) <= 63
