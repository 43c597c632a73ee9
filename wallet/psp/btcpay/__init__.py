"""BTCPay Server: Greenfield API, its webhooks and reports."""
