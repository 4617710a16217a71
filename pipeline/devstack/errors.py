"""What can go wrong with a local stack; each text is one sentence that tells what to do next."""

from __future__ import annotations


class StackError(Exception):
    """The stack cannot do what was asked."""


class NotThere(StackError):
    """Something the stack needs cannot be reached or used: a jar, a program, a service that does not come up."""
