"""Possible matches of one client with one listed person, whichever lists name that person: reviewed as one."""
