"""The merchant APIs of PSPs that exist: each speaks like its original, over the same core."""
