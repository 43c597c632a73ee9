"""The task queue's doors: a worker is asked for work whose rows are there, with or without a broker."""
