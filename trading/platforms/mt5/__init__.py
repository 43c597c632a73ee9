"""MetaTrader 5 over the Web API: wire codec, client and adapter. The codec and the client import no Django."""
