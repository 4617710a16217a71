"""Debian's Chromium: found, or installed where that is allowed."""

from __future__ import annotations

from pathlib import Path

from tests.support.debian import Missing, program

__all__ = ["Missing", "chromium"]

NAMES = ("chromium-headless-shell", "chromium")
"""The engine without a browser around it first: it takes a seventh less time for the same pages."""
PACKAGES = ("chromium-headless-shell", "fonts-liberation")


def chromium() -> Path:
    """The browser's program, installed from the system's own packages when root may do so; raises Missing."""
    return program(NAMES, PACKAGES)
