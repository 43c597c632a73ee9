"""The webhooks' address, the staff pages of providers, and a check's card."""
