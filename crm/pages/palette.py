"""The command palette (Ctrl-K): every page that the user may open, help, and whatever the apps' search providers find."""
