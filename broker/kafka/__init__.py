"""Kafka: the transactional relay, rights, topics, and the read-committed transport for Faust."""
