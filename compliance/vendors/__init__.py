"""Outside screening vendors: a protocol, its adapters, what is asked and when, and what becomes of the answers."""
