"""Which domains are public suffixes: registries hand out names below them, so they can belong to no site."""

from __future__ import annotations

_SECOND_LEVEL = frozenset(
    {
        *("ac", "ad", "asso", "co", "com", "edu", "go", "gob", "gov", "gouv", "govt", "gub", "gv", "mil", "mod"),
        *("ne", "net", "nom", "or", "org", "re", "res", "sch"),
    }
)


def is_public_suffix(domain: str) -> bool:
    """Whether a domain is a top level (``fr``) or the academic, commercial … part of a country (``ac.uk``).

    Domain maps derived from host names hold such rows (CRIC maps ``ac.uk``, ``edu.au`` and ``edu.pl`` to a site
    each). This knows the common forms, not the whole public suffix list.
    """
    first, dot, rest = domain.partition(".")
    return not dot or (len(rest) == 2 and first in _SECOND_LEVEL)
