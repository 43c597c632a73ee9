"""Periodic reviews of clients by risk: when one is due, what is checked, and what follows when nobody does it."""
