"""Rules that raise and clear alerts, hosted by a Faust app (README.md)."""
