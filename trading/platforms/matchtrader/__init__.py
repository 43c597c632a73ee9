"""Match-Trader over its Broker API v2: REST for everything that is asked, gRPC streams for what happens."""
