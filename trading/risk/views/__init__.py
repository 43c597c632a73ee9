"""Pages of margin levels and the dealing desk."""
