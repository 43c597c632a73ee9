"""Trading servers: connected, checked, diagnosed."""
