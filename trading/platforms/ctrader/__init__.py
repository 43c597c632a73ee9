"""cTrader: WebServices (REST) for accounts and money, Manager API (protobuf over TLS) for what happens there."""
