"""Becoming a partner from the client portal."""
