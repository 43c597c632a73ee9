"""How long what monitoring knows about members of staff is kept, and its deletion."""
