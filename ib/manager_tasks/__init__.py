"""Tasks of partner managers: what to do for a partner, by whom and when."""
