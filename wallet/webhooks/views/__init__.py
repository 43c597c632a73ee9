"""The webhooks' address and the pages of PSPs."""
