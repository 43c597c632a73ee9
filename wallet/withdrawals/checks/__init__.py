"""The checks that each withdrawal goes through."""
