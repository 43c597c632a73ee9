"""What managers of partners see across all of them."""
