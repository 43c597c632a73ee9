"""Leads that come as e-mails."""
