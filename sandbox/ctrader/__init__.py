"""A cTrader server in miniature: WebServices over HTTPS and the Manager API over TLS, on the sandbox engine."""
