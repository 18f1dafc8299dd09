"""What is there to be administered: topics, rights, and whether this Kafka keeps its promises."""
