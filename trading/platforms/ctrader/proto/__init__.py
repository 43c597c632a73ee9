"""The protocol text of the Manager API and the modules made from it. A test makes them anew and compares:

`python -m grpc_tools.protoc -I trading/platforms/ctrader/proto --python_out=… --pyi_out=… ctrader_manager.proto`; the sandbox
server keeps the same files, because neither imports the other.
"""
