"""Storage paths and space tokens, brought to one spelling and matched against the doors of a host."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from pipeline.topology.model import Door

_SLASHES = re.compile(r"/{2,}")


def token_word(token: str) -> str:
    """A space token or endpoint type in the one spelling in which they are compared.

    Completes may carry ``vo:`` before the token; ATLAS writes ``ATLASPRODDISK`` for the type ``PRODDISK``.
    """
    word = token.rpartition(":")[2].strip().upper()
    return word.removeprefix("ATLAS") or word


def _path_start(url: str) -> int:
    """Where the storage path begins: after ``…?SFN=`` of an SRM URL, else after the host, else at once."""
    sfn = url.find("?SFN=")
    if sfn >= 0:
        return sfn + 5
    scheme = url.find("://")
    if scheme < 0:
        return 0
    slash = url.find("/", scheme + 3)
    return slash if slash >= 0 else len(url)


def path_of(url: str) -> str:
    """The storage path of a URL or path: one slash between parts and in front, none at the end, no query."""
    path = url[_path_start(url) :].partition("?")[0]
    return _SLASHES.sub("/", f"/{path}").rstrip("/")


def is_within(path: str, prefix: str) -> bool:
    """Whether a path equals a prefix or lies below it; "" is above all."""
    return path == prefix or path.startswith(f"{prefix}/")


class PathView(NamedTuple):
    """All that a URL can tell the doors of one host apart by.

    ``longest`` is the longest of their paths that the URL lies in. Each other that it lies in is above that one, so
    nothing else of the path matters but ``hints``, the words of theirs that stand as directories of the path.
    """

    longest: str
    hints: frozenset[str]


NOTHING_SEEN = PathView("", frozenset())


class PathReader:
    """Reads the few things in a URL that matter to the doors of one host, in one pass of a regular expression."""

    __slots__ = ("_hints", "_paths", "_prefixes", "_views")

    def __init__(self, doors: Iterable[Door]) -> None:
        doors = tuple(doors)
        # Longest first: the expression takes the first alternative that fits.
        self._paths = tuple(sorted({door.path for door in doors if door.path}, key=lambda path: (-len(path), path)))
        self._prefixes = _prefix_pattern(self._paths)
        self._hints = _hint_pattern(doors)
        self._views = tuple(PathView(path, frozenset()) for path in self._paths)

    def view(self, url: str) -> PathView:
        """What the doors can be told apart by; equal for all URLs that they cannot be told apart by."""
        start = _path_start(url)
        found = self._prefixes.match(url, start) if self._prefixes else None
        seen = self._views[found.lastindex - 1] if found and found.lastindex else NOTHING_SEEN
        if self._hints is None:
            return seen
        query = url.find("?", start)
        words = self._hints.findall(url, start, query if query >= 0 else len(url))
        return PathView(seen.longest, frozenset(word.upper() for word in words))


def _prefix_pattern(paths: tuple[str, ...]) -> re.Pattern[str] | None:
    if not paths:
        return None
    alternatives = "|".join("(" + "/+".join(map(re.escape, path[1:].split("/"))) + ")" for path in paths)
    return re.compile(rf"/*(?:{alternatives})(?=[/?]|$)")


def _hint_pattern(doors: tuple[Door, ...]) -> re.Pattern[str] | None:
    """Hints are looked for only where doors of one path differ in their words: it is the dearer half of the reading."""
    differing: dict[tuple[str, str], set[frozenset[str]]] = {}
    for door in doors:
        differing.setdefault((door.vo, door.path), set()).add(door.words)
    words = sorted({word for door in doors if len(differing[door.vo, door.path]) > 1 for word in door.words})
    if not words:
        return None
    return re.compile(rf"/(?:atlas)?({'|'.join(map(re.escape, words))})(?=/)", re.IGNORECASE)
