"""States, kinds and reasons of money, one module per room."""
