"""The streams' messages. `matchtrader_pb2*.py` are made from `matchtrader.proto`; a test makes them anew and compares."""
