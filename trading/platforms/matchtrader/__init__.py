"""Match-Trader over its Broker API v2: REST for everything that is asked, gRPC streams for what happens."""

import os

# gRPC's own handlers of fork can crash the child before it becomes another program; ours close all channels (`streams`).
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
