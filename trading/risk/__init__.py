"""Margin levels, the dealing desk's view and results."""
