"""How a command ends: exit codes and the errors that carry them.

An error's text is one sentence that tells the user what to do next; ``main`` prints it on stderr.
"""

from __future__ import annotations

DONE = 0
ANSWER_IS_NO = 1
CONFIGURATION = 2
UNREACHABLE = 3
BUG = 70

EXIT_CODES: dict[int, str] = {
    DONE: "done",
    ANSWER_IS_NO: "the answer is no: differences found, not idle in time, unhealthy, some input could not be used",
    CONFIGURATION: "usage or configuration",
    UNREACHABLE: "something it needs cannot be reached",
    BUG: "a bug in transferscope",
}


class CommandError(Exception):
    """Ends a command with ``exit_code`` and its text as the one sentence on stderr."""

    exit_code = ANSWER_IS_NO


class ConfigurationError(CommandError):
    """The settings cannot work; the text says which to change and how."""

    exit_code = CONFIGURATION


class Unreachable(CommandError):
    """A service that the command needs does not answer; ``why`` is the client's own reason."""

    exit_code = UNREACHABLE

    def __init__(self, service: str, address: str, why: str) -> None:
        super().__init__(f"{service} at {address} cannot be reached: {why}")
