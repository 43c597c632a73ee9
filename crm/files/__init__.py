"""Stored files: where they lie, who names them, what is swept, how a stranger's file is opened."""
