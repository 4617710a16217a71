"""What can be wrong with a question."""

from __future__ import annotations


class BadQuery(ValueError):
    """The question cannot be meant: the text is one sentence that says what to write instead."""
