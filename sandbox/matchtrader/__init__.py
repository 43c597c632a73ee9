"""A Match-Trader broker in miniature: Broker API v2 over REST and gRPC, on the sandbox engine's books."""

import os

# gRPC's own handlers of fork can crash the child before it becomes another program.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
