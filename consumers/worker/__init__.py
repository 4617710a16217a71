"""The worker: Kafka to Postgres, hosted by a Faust app (README.md)."""
