"""One movement of money as people read it: its history and its neighbours."""
