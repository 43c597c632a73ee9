"""Who is linked with whom, by what they share, and how strongly."""
