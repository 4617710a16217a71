"""Text of others on a terminal: what could move the cursor, hide or reorder text is shown as an escape instead."""

from __future__ import annotations

import unicodedata

_ACTIVE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def safe(text: str, keep: str = "") -> str:
    """The text with control, format (bidirectional, zero-width) and surrogate characters as ``\\xNN`` or ``\\uNNNN``.

    Messages come from outside: an error text with an ANSI escape must not paint the operator's terminal, and a
    bidirectional override must not show one host name as another. ``keep`` names characters to leave as they are.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character) if character not in keep else character for character in text)


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _ACTIVE:
        return character
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
