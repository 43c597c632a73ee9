"""PayPal: its orders API, webhooks and settlement reports."""
