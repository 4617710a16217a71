"""What a setting may be: each parser takes TOML's or the environment's value and raises ValueError with what is meant.

The ValueError's text ends the sentence "NAME is VALUE: it must be …".
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipeline.cli.errors import ConfigurationError
from schemas.topics import KINDS

_WORD = re.compile(r"[A-Za-z0-9_-]+")
_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")
_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):(\d{1,5})")


def parsed(parse: Callable[[object], Any], value: object, where: str, folder: Path) -> Any:
    """The value of ``where``; a relative path starts at ``folder``. Raises ConfigurationError with what it must be."""
    try:
        found = parse(value)
    except ValueError as error:
        shown = without_password(value) if isinstance(value, str) else value
        raise ConfigurationError(f"{where} is {shown!r}: it must be {error}") from error
    if isinstance(found, tuple):
        return tuple(str(_placed(each, folder)) if isinstance(each, Path) else each for each in found)
    return _placed(found, folder) if isinstance(found, Path) else found


def _placed(path: Path, folder: Path) -> Path:
    return Path(os.path.normpath(folder / path))


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """A sentence for a name that nobody knows: with the nearest known one, else with all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(names)}"
    return f"the {what} {name} is not known: {hint}"


def text(value: object) -> str:
    """Any text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("text")
    return value.strip()


def word(value: object) -> str:
    """Letters, digits, - and _: what a queue's name is made of."""
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        raise ValueError("a word of letters, digits, - and _")
    return value


def choice(*allowed: str) -> Callable[[object], str]:
    """One of these words."""

    def parse(value: object) -> str:
        if value not in allowed:
            raise ValueError(" or ".join(allowed))
        return str(value)

    return parse


def file(value: object) -> Path:
    """A path; relative ones start at the folder of the configuration file, else at the current one."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("the path of a file")
    try:
        return Path(value).expanduser()
    except RuntimeError:
        raise ValueError("the path of a file, with a user behind ~ who has a home here") from None


def without_password(value: str) -> str:
    """An address with what may be a password in it masked: before the host, and in libpq's ``password=``."""
    masked = re.sub(r"(?<=://)([^/@:\s]*):[^/\s]*@", r"\1:***@", value)
    return re.sub(r"(?i)((?:^|[?&])password=)[^&]*", r"\1***", masked)


def one_of(*words: str) -> Callable[[object], str]:
    """One of these words."""

    def parse(value: object) -> str:
        if value not in words:
            raise ValueError(" or ".join(words))
        return str(value)

    return parse


def topics(value: object) -> dict[str, str]:
    """A map from broker topic to kind of message."""
    expected = f'a table such as {{"transfer.fts_monitoring_start" = "fts.start"}}; kinds are {", ".join(KINDS)}'
    if not isinstance(value, dict) or not value:
        raise ValueError(expected)
    if not all(isinstance(kind, str) and kind in KINDS for kind in value.values()):
        raise ValueError(expected)
    return dict(value)


def whole(lowest: int, highest: int) -> Callable[[object], int]:
    """A whole number between the two, both included; from the environment as text."""

    def parse(value: object) -> int:
        expected = f"a whole number from {lowest} to {highest}"
        if isinstance(value, str) and re.fullmatch(r"\d{1,18}", value.strip()):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            raise ValueError(expected)
        return value

    return parse


def database_url(value: object) -> str:
    """A libpq address of a database."""
    if not isinstance(value, str) or not value.startswith(("postgresql://", "postgres://")):
        raise ValueError("an address such as postgresql://user@host:5432/transferscope")
    return value


def addresses(value: object) -> tuple[str, ...]:
    """host:port, one or more."""
    found = _many(value)
    if not found or not all(_is_address(each) for each in found):
        raise ValueError("host:port, or several with commas between them")
    return found


def stomp_url(value: object) -> str:
    """stomp://host:port or stomp+ssl://host:port."""
    scheme, separator, address = value.partition("://") if isinstance(value, str) else ("", "", "")
    if not separator or scheme not in ("stomp", "stomp+ssl") or not _is_address(address):
        raise ValueError("stomp://host:port or stomp+ssl://host:port")
    return f"{scheme}://{address}"


def stomp_urls(value: object) -> tuple[str, ...]:
    """One or more stomp_url."""
    found = _many(value)
    if not found:
        raise ValueError("stomp://host:port or stomp+ssl://host:port, or several with commas between them")
    return tuple(stomp_url(each) for each in found)


def http_urls(value: object) -> tuple[str, ...]:
    """One or more http:// or https:// addresses."""
    found = _many(value)
    expected = "an address such as http://host:8161/api/jolokia, or several with commas between them"
    for each in found:
        if not _is_http(each):
            raise ValueError(f"{expected}; a user and the file with his password are settings of their own")
    if not found:
        raise ValueError(expected)
    return found


def http_url(value: object) -> str:
    """An http:// or https:// address without user and query."""
    if not isinstance(value, str) or not _is_http(value) or urlsplit(value).query:
        raise ValueError("an address such as http://host:4318")
    return value


def smtp_url(value: object) -> str:
    """smtp:// (plain), smtp+starttls:// or smtps://, with host and perhaps port; no user, no path."""
    parts = urlsplit(value) if isinstance(value, str) else None
    try:
        fits = parts is not None and parts.scheme in ("smtp", "smtp+starttls", "smtps") and bool(parts.hostname)
        fits = fits and parts is not None and "@" not in parts.netloc and not parts.path.strip("/") and parts.port != 0
    except ValueError:  # no port is 99999
        fits = False
    if not fits:
        raise ValueError("smtp://host:port, smtp+starttls://host:port or smtps://host:port")
    return str(value).rstrip("/")


def mail_address(value: object) -> str:
    """name@host, in ASCII."""
    if not isinstance(value, str) or not _MAIL.fullmatch(value.strip()):
        raise ValueError("an address such as operators@example.org")
    return value.strip()


def mail_addresses(value: object) -> tuple[str, ...]:
    """One or more mail_address."""
    found = _many(value)
    if not found or not all(_MAIL.fullmatch(each) for each in found):
        raise ValueError("addresses such as operators@example.org, with commas between them")
    return found


def limits_by_name(value: object) -> tuple[tuple[str, int], ...]:
    """NAME=NUMBER with commas between them, or a table; ``*`` in a name stands for any letters."""
    listed: list[tuple[str, object]] = []
    if isinstance(value, dict):
        listed = list(value.items())
    else:
        listed = [(name.strip(), number.strip()) for name, _, number in (each.rpartition("=") for each in _many(value))]
    try:
        found = tuple((name, whole(0, 10**9)(number)) for name, number in listed)
    except ValueError:
        found = ()
    if not found or not all(name for name, _ in found):
        raise ValueError("NAME=NUMBER, or several with commas between them, such as fts-quiet.example.org=1440")
    return found


def https_url(value: object) -> str:
    """An https:// address."""
    parts = urlsplit(value) if isinstance(value, str) else None
    if parts is None or parts.scheme != "https" or not parts.hostname or parts.username or parts.query:
        raise ValueError("an address such as https://issuer.example.org/")
    return str(value)


def texts(value: object) -> tuple[str, ...]:
    """One or more texts without commas."""
    found = _many(value)
    if not found:
        raise ValueError("a text, or several with commas between them")
    return found


def sources(value: object) -> tuple[str | Path, ...]:
    """Paths of files and http:// or https:// addresses, one or more."""
    found = _many(value)
    if not found:
        raise ValueError("the path of a file or an http address, or several with commas between them")
    return tuple(each if each.lower().startswith(("http://", "https://")) else file(each) for each in found)


def _many(value: object) -> tuple[str, ...]:
    listed = value.split(",") if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        return ()
    return tuple(each.strip() for each in listed if each.strip())


def _is_address(value: str) -> bool:
    match = _ADDRESS.fullmatch(value)
    return match is not None and 0 < int(match[2]) < 65536


def _is_http(value: str) -> bool:
    """Whether it is an http:// or https:// address, and names no user."""
    parts = urlsplit(value)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
