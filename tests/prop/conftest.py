from tests.trading.conftest import sandbox, server, shared_sandbox

__all__ = ["sandbox", "server", "shared_sandbox"]
