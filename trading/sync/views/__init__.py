"""Pages of the platforms' health and the steps of reading."""
