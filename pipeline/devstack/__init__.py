"""The local stack: PostgreSQL, Kafka and ActiveMQ as real processes of one folder, without root or containers."""
