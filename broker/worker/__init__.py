"""What a worker consists of: services, agents, health."""
