"""One change to many leads: a preview of who is left out and why, the result, and its undoing."""
