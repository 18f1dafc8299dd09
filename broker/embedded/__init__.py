"""The Apache Kafka that comes with the package: the released broker on loopback, for demo, tests and laptops."""
