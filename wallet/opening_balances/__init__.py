"""Opening balances of clients of another system: imported by one person, approved by another, posted part by part.

import_kind: rows of a file, checked and written down as lines
approval:    what the second person decides on
posting:     the approved lines as journals, resumable
"""
