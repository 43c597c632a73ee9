"""MetaTrader 4 through an HTTP manager bridge (modelled on CPlugin WebAPI v2): the server's own API runs on Windows only."""
