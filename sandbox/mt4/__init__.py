"""A MetaTrader 4 server behind an HTTP manager bridge. It imports nothing of the product."""
