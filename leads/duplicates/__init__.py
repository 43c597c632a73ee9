"""A queue of records that may be one person: weighed by what they share, merged side by side or remembered as two."""
