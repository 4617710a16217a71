"""Error messages without what differs from one transfer to the next, so that like failures count together.

A fixed rule set (``README.md`` has it as a table), not a learned one: a template depends on its message alone, so the
order of arrival cannot matter. All of it is linear in the length of the message: repeats are possessive or stop at the
next separator.
"""

from __future__ import annotations

import re

LONGEST = 240
"""Characters of the longest template."""

READ = 2048
"""Characters of a message that are read: twice what FTS sends."""

_LONGEST_WORD = 100
_LONGEST_PLAIN = 40
_LONGEST_WITH_DIGITS = 19
_LONGEST_HOST = 260
_MAX_REMEMBERED = 20_000

_DN_KEY = "(?:CN|OU|O|C|DC|ST|L|UID|E|Email|emailAddress|serialNumber)="
# A DN holds blanks and nothing says where it ends: its last value goes on over words that begin like names.
_DN = re.compile(
    rf"(?<![\w/.])/{_DN_KEY}(?:[^/<>]*+/{_DN_KEY})*+[^\s/<>]*+(?: [A-Z0-9][^\s/<>]*+){{0,4}}"
    rf"|(?<![\w/.])(?:{_DN_KEY}[^,=<>]*+, ?(?={_DN_KEY}))++{_DN_KEY}[^\s,=<>]*+"
)
# Not after a letter; a digit before it becomes a mask, behind which a word would begin.
_USER = re.compile(r"(?<![^\W\d])([Uu]ser(?:name)?|uid) ?([=:]) ?[\w.\-@]++")
# What stands between the separators of a word: a URL, something in quotes, anything else.
_PIECE = re.compile(
    r"([A-Za-z][\w+.\-]*+://(?:\[[0-9A-Fa-f:.]*+\])?[^<>()\[\]{},;\"'|]*+)"
    r"|([\"'])[^<>\"'\s=,]{1,100}+\2"
    r"|[^<>()\[\]{},;\"'|=!]++"
)
_EDGE = ".:?*#~-"
_DIGIT = re.compile(r"\d")
_DATE = re.compile(r"\d{2,4}/\d{2}/\d{2,4}")
_HOST = re.compile(r"(?:(?:[A-Za-z0-9_\-]++\.){2,}+(?:[a-z]{2,15}|[A-Z]{2,15})|(?:\d{1,3}\.){3}\d{1,3})(?::\d+)?")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]++(?:%\w++)?")
_HEX = re.compile(r"(?:0[xX])?(?:(?=[A-Fa-f]*+[0-9])[0-9A-Fa-f]{4,}|[A-Fa-f]{8,})")
_COUNTED = re.compile(r"\d++([A-Za-z]{0,3})|([A-Za-z]{1,7})\d++")
_SPLIT = re.compile(r"([:_\-+&?%$#~*\\^])")
_AGAIN = re.compile(r"<n>(?:[-_.:/, ]*+<n>)++")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CALENDAR = frozenset((*_DAYS, *_MONTHS))

_plain_words: set[str] = set()


def template(message: str) -> str:
    """The message with hosts, URLs, paths, names, numbers and ids masked; at most LONGEST characters, no digit.

    >>> template("SOURCE [110] Connection to se01.example.org:8443 timed out after 30s")
    'SOURCE [<n>] Connection to <host> timed out after <n>s'
    """
    text = " ".join(message[:READ].split())
    if "CN=" in text or "DC=" in text:
        text = _DN.sub("<dn>", text)
    if "user" in text or "User" in text or "uid" in text:
        text = _USER.sub(r"\1\2<name>", text)
    plain = _plain_words
    said = " ".join([word if word in plain else _masked(word) for word in text.split(" ")])
    if "<n>" in said:
        said = _AGAIN.sub("<n>", said)
    if len(said) > _LONGEST_WORD:
        said = " ".join([word if len(word) <= _LONGEST_WORD else "<text>" for word in said.split(" ")])
        if len(said) > LONGEST:
            # Whole words only: half a word could be something else.
            said = f"{said[: LONGEST - 1].rpartition(' ')[0]} …"
    return said


def _masked(word: str) -> str:
    """Words that stay as they are come again and again, and are remembered; the others seldom do."""
    masked = _PIECE.sub(_piece, word)
    if masked == word and len(word) <= _LONGEST_PLAIN:
        if len(_plain_words) >= _MAX_REMEMBERED:
            _plain_words.clear()
        _plain_words.add(word)
    return masked


def _piece(found: re.Match[str]) -> str:
    piece = found[0]
    if found[1]:
        return f"<url>{piece[len(piece.rstrip(_EDGE)) :]}"
    if found[2]:
        return "<name>"
    digit = _DIGIT.search(piece) is not None
    if digit and ":" in piece and ("::" in piece or piece.count(":") == 7) and _IPV6.fullmatch(piece):
        return "<host>"
    core = piece.lstrip(_EDGE)
    before = piece[: len(piece) - len(core)]
    core = core.rstrip(_EDGE)
    after = piece[len(before) + len(core) :]
    return f"{before}{_core(core, digit)}{after}"


def _core(core: str, digit: bool) -> str:
    if "/" in core:
        if core[0] == "/" or digit or core.count("/") > 1:
            return "<n>" if _DATE.fullmatch(core) else "<path>"
        return core if len(core) <= _LONGEST_PLAIN else "<text>"
    if "@" in core:
        return "<name>"
    if "." in core and len(core) <= _LONGEST_HOST and _HOST.fullmatch(core):
        return "<host>"
    if digit and len(core) > _LONGEST_WITH_DIGITS:
        return "<n>"
    if len(core) > _LONGEST_PLAIN:
        return "<text>"
    return "".join([_part(part) for part in _SPLIT.split(core)])


def _part(part: str) -> str:
    """A piece of a name between its punctuation."""
    if part in _CALENDAR or _HEX.fullmatch(part):
        return "<n>"
    if "." in part and _HOST.fullmatch(part):
        return "<host>"
    if not _DIGIT.search(part):
        return part
    counted = _COUNTED.fullmatch(part)
    if counted is None or counted[1] in _CALENDAR or counted[2] in _CALENDAR:
        return "<n>"
    return f"{counted[2] or ''}<n>{counted[1] or ''}"
