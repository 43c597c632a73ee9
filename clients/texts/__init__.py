"""E-mails to clients: how one is declared, the app's own, the library of educational e-mails; and the pages of all texts."""

from clients.texts import library, own

__all__ = ["library", "own"]
