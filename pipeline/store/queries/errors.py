"""What can be wrong with a question."""

from __future__ import annotations


class BadQuery(ValueError):
    """The question cannot be meant: the text is one sentence that says what to write instead."""


class NotReady(Exception):
    """The database has no ``report`` views, or older ones than this program needs."""

    def __init__(self) -> None:
        super().__init__("the database has not the views that this version reads: run transferscope init")
