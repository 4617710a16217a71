"""The processes that operators run, and the only code that talks to ActiveMQ or Kafka."""
