"""Keeping the lists current: scheduled checks at the publisher, what a version changed, and how fresh lists and clients are."""
