"""Host names as they are compared everywhere: lower case, no port, no trailing dot."""

from __future__ import annotations

from functools import lru_cache

UNKNOWN = "unknown"
_NOT_A_HOST = "invalid hostname"
"""What FTS of 2012 sends for a URL that it could not take apart."""


_LONGEST_NAME = 300
"""Longer than any name, port and service path: what is longer is not worth a place in the memory of names."""


def host_name(text: str) -> str:
    """The host of ``host``, ``host:port``, ``[v6]:port`` or a bare IPv6 address; ``unknown`` when there is none."""
    return _remembered(text) if len(text) <= _LONGEST_NAME else _host(text)


def _host(text: str) -> str:
    host = text.strip().lower()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    while host != (bare := host.strip().rstrip(".")):
        host = bare
    return UNKNOWN if not host or host == _NOT_A_HOST else host


_remembered = lru_cache(maxsize=65536)(_host)


def authority(url: str) -> str:
    """The ``user@host:port`` part of a URL, ``""`` when there is none."""
    _, separator, rest = url.partition("://")
    if not separator:
        return ""
    for end in "/?#":
        rest = rest.partition(end)[0]
    return rest


def link_host(host: str, url: str) -> str:
    """The host of one end of a link: the host name field when it says something, else the URL's."""
    return host_name(host) if host else host_of_url(url)


def host_of_url(url: str) -> str:
    """The host of a URL, ``unknown`` when it has none."""
    return host_name(authority(url).rpartition("@")[2])


def instance_name(endpoint: str) -> str:
    """The FTS instance, host part of ``endpnt``: a bare alias today, a service URL in 2011; ``""`` when absent."""
    return _known_instance(endpoint) if len(endpoint) <= _LONGEST_NAME else _instance(endpoint)


def _instance(endpoint: str) -> str:
    text = endpoint.strip()
    if not text:
        return ""
    host = host_of_url(text) if "://" in text else host_name(text.partition("/")[0])
    return "" if host == UNKNOWN else host


_known_instance = lru_cache(maxsize=4096)(_instance)
