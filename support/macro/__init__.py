"""Macros, their pages, and the figures of how tickets are answered."""
