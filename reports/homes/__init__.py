"""The first row and the main chart of the role homes: figures of this month beside the same days of the month before."""
