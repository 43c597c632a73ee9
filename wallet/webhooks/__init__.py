"""What PSPs send us, and the PSPs' own pages."""
