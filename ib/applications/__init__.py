"""Becoming a partner: the application with its agreement, and the approval by two people."""
