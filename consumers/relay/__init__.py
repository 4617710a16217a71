"""The outbox to Kafka."""
