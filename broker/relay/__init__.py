"""The relay's plan: records in, records out. No Kafka client is known here."""
