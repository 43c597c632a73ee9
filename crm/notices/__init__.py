"""Notifications on pages and e-mails."""
