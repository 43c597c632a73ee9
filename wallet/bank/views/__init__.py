"""Pages of bank accounts, their statements and column mappings."""
