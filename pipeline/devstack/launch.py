"""``python -m pipeline.devstack.launch PARENT SIGNAL USER PROGRAM…``: becomes PROGRAM, bound to its parent's life.

The kernel sends SIGNAL to the program when the process PARENT, which must be the one that started it, dies in any
way. USER is a name to become first, or ``-``: PostgreSQL refuses to run as root. It then keeps one of root's
capabilities, to pass folders that only root may enter, so that neither the stack's folder nor the virtual
environment needs other permissions than they have.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def argv(parent: int, death_signal: int, user: str | None, program: list[str]) -> list[str]:
    """The command line that launches ``program``; -P keeps the current folder's packages from passing for ours."""
    module = [sys.executable, "-P", "-m", "pipeline.devstack.launch"]
    return [*module, str(parent), str(int(death_signal)), user or "-", *program]


def main() -> None:
    parent, death_signal, user, *program = sys.argv[1:]
    if user != "-":
        _become(user)
    # After the change of user, which clears it.
    _prctl(_PR_SET_PDEATHSIG, int(death_signal))
    if os.getppid() != int(parent):  # it died before the kernel was asked to tell
        sys.exit(1)
    os.execv(program[0], program)  # noqa: S606 - what it is for


def _become(name: str) -> None:
    entry = pwd.getpwnam(name)
    _prctl(_PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
    os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
    header = _Header(_CAPABILITY_VERSION_3, 0)
    sets = (_Sets * 2)()
    kept = 1 << _CAP_DAC_OVERRIDE
    sets[0] = _Sets(kept, kept, kept)
    _checked(_libc.capset(ctypes.byref(header), sets))
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE)


def _prctl(option: int, *values: int) -> None:
    arguments = [*values, 0, 0, 0, 0][:4]
    _checked(_libc.prctl(option, *(ctypes.c_ulong(value) for value in arguments)))


def _checked(result: int) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


if __name__ == "__main__":
    main()
