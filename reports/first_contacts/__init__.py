"""The leads behind an agent's time to first contact."""
