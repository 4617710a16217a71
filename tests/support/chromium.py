"""Debian's Chromium: found, or installed where that is allowed."""

from __future__ import annotations

from pathlib import Path

from tests.support.debian import Missing, program

__all__ = ["Missing", "chromium"]

NAMES = ("chromium", "chromium-headless-shell")
PACKAGES = ("chromium", "fonts-liberation")


def chromium() -> Path:
    """The browser's program, installed from the system's own packages when root may do so; raises Missing."""
    return program(NAMES, PACKAGES)
