"""Why simulated transfers fail: what FTS says of each trouble, and how far the transfer came before it.

Words are FTS3's own: scope and phase from its enumerations, category and code from errno, texts as seen in public logs
with hosts and names taken out.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

PREPARATION = "TRANSFER_PREPARATION"
TRANSFER = "TRANSFER"
FINALIZATION = "TRANSFER_FINALIZATION"


class Failure(NamedTuple):
    """One kind of trouble. ``%x`` in ``text`` stands for a part that differs every time."""

    scope: str
    phase: str
    category: str
    code: int
    text: str


_FAILURES: tuple[tuple[int, Failure], ...] = (
    (
        30,
        Failure(
            "SOURCE",
            PREPARATION,
            "NO_SUCH_FILE_OR_DIRECTORY",
            2,
            "SOURCE SRM_GET_TURL srm-ifce err: Communication error on send, err: [SE][PrepareToGet][SRM_INVALID_PATH] "
            "File does not exist: %x",
        ),
    ),
    (
        20,
        Failure(
            "DESTINATION",
            PREPARATION,
            "FILE_EXISTS",
            17,
            "DESTINATION OVERWRITE Destination file exists and overwrite is not enabled",
        ),
    ),
    (
        15,
        Failure(
            "SOURCE",
            PREPARATION,
            "PERMISSION_DENIED",
            13,
            "SOURCE CHECKSUM HTTP 403 : Permission refused , request id %x",
        ),
    ),
    (
        6,
        Failure(
            "DESTINATION",
            PREPARATION,
            "NO_SPACE_LEFT_ON_DEVICE",
            28,
            "DESTINATION MAKE_PARENT [SE][Mkdir][SRM_NO_FREE_SPACE] no space left for reservation %x",
        ),
    ),
    (
        40,
        Failure(
            "TRANSFER",
            TRANSFER,
            "CONNECTION_TIMED_OUT",
            110,
            "TRANSFER [110] TRANSFER Operation timed out after %x bytes, no progress on the data channel",
        ),
    ),
    (
        25,
        Failure(
            "TRANSFER",
            TRANSFER,
            "COMMUNICATION_ERROR_ON_SEND",
            70,
            "TRANSFER ERROR: Copy failed (3rd pull). Last attempt: failure: connection to door %x closed by peer",
        ),
    ),
    (
        10,
        Failure(
            "TRANSFER",
            TRANSFER,
            "INPUT/OUTPUT_ERROR",
            5,
            # 0xE9 is Latin-1: some storages answer in their own language and FTS passes it on, which is not UTF-8.
            "TRANSFER [5] DESTINATION R\udce9ponse inattendue du serveur %x",
        ),
    ),
    (
        12,
        Failure(
            "DESTINATION",
            FINALIZATION,
            "INPUT/OUTPUT_ERROR",
            5,
            "DESTINATION CHECKSUM MISMATCH User defined checksum and destination checksum do not match %x",
        ),
    ),
    (
        5,
        Failure(
            "DESTINATION",
            FINALIZATION,
            "PROTOCOL_NOT_SUPPORTED",
            93,
            "DESTINATION [93] SRM_PUT_DONE Error reported from srm_ifce : %x [SE][PutDone][SRM_FAILURE]",
        ),
    ),
)
_KINDS = tuple(failure for _, failure in _FAILURES)
_WEIGHTS = tuple(weight for weight, _ in _FAILURES)

CANCELED = Failure(TRANSFER, TRANSFER, "OPERATION_CANCELED", 125, "TRANSFER Transfer canceled by the user")
CANCELED_BEFORE_START = Failure(TRANSFER, PREPARATION, "OPERATION_CANCELED", 125, "TRANSFER Transfer canceled")


def pick_failure(rng: Random) -> Failure:
    """One of the failures, the usual ones more often."""
    return rng.choices(_KINDS, _WEIGHTS)[0]


def code_told(failure: Failure, by_fts2: bool) -> str:
    """The code as a message tells it: one of GridFTP in FTS2, errno since."""
    return str(400 + failure.code if by_fts2 else failure.code)
