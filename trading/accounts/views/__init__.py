"""Pages of trading accounts and clients' requests."""
