"""What clients take in from another system: the people, and the notes on them."""

from clients.import_kinds import notes, people

__all__ = ["notes", "people"]
