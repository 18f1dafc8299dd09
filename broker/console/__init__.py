"""The console: what operations see of the broker, from one search; the read model behind it, and the few actions."""
