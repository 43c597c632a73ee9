"""Comparing a client with the people on a list: candidates by spelling and sound, then a score that explains itself.

`VERSION` names the rules as a whole and is kept with every screening: change it with every change that moves a score.
"""

VERSION = "2026.24"
# In the hash of who was compared, since the version stood there: it stays, so that decisions of then are still known.
HASHED_AS = "2026.14"
