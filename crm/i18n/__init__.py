"""Texts in the reader's language and the catalogues they come from."""
