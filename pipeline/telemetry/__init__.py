"""What every process tells of itself to Prometheus (README.md)."""
