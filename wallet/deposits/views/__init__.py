"""Pages of deposits, payment methods and unverified limits."""
