"""Pages of issued documents and letterheads."""
