"""Bonuses: granted, released, ended and restored."""
