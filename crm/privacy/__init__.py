"""Keys exchanged and clients erased."""
