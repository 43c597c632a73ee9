"""Fields that a brand adds to the records of its leads and clients: set-up, typed values, conditions and columns."""
