"""A trading server that speaks the REST calls of Sirix (Leverate) which public clients of it use."""
