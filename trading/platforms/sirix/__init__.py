"""Sirix (Leverate): the REST calls that public clients use, and money behind an endpoint that the broker names."""
