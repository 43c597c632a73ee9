"""What partners see and do on their own pages: figures for a range of days, sharing, statements, sub-partners' applications."""
