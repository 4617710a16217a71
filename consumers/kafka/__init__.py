"""Everything that speaks Kafka's protocol: the only folder that imports a Kafka client."""
