"""A Match-Trader broker in miniature: Broker API v2 over REST and gRPC, on the sandbox engine's books."""
