"""What goes wrong at the edges, in our own words."""

from __future__ import annotations


class Unreachable(Exception):
    """A service does not answer or does not let us in: its name, its address and the reason as it was given."""

    def __init__(self, service: str, address: str, why: str) -> None:
        super().__init__(f"{service} at {address} cannot be reached: {why}")
        self.service = service
        self.address = address
        self.why = why

    @property
    def short(self) -> str:
        """Where and why, for a list of them."""
        return f"{self.address}: {self.why}"
