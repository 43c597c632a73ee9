"""A small MetaTrader 5 trade server that speaks the Web API's raw protocol: `python -m sandbox.mt5 --help`."""
