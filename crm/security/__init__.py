"""Who may do what, encryption, keys and evidence of access."""
