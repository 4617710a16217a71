"""How messages spell a host: nearly always as it is, now and then with a port, a dot, capitals, or not at all."""

from __future__ import annotations

from random import Random


def spell_host(rng: Random, host: str) -> tuple[str, str]:
    """(what stands in the message, which host it means)."""
    if rng.random() >= 0.01:
        return host, host
    match rng.randrange(5):
        case 0:
            return "invalid hostname", "unknown"
        case 1:
            return "", host  # then the URL tells
        case 2:
            return f"{host}:8446", host
        case 3:
            return f"{host}.", host
        case _:
            return host.upper(), host
