"""Did the controls work in time: per brand and month, with what failed, kept when the month has ended."""
