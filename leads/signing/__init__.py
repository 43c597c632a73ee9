"""Signed requests of lead sources: the secret, what a request must carry, and that each is taken once."""
