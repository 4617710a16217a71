"""From the brokers' virtual queues to Kafka, nothing lost on the way. Start with ``bridge``."""
