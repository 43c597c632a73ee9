"""A client's tickets in the portal: opening one, following it, rating our help."""
