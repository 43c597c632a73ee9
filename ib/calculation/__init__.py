"""What closed deals should earn: the facts of each deal, and the arithmetic on them, as SQL."""
