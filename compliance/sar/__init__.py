"""Reports of suspicion to the financial intelligence unit: drafted from an AML case, approved by a second person, filed as goAML.

Only the MLRO's circle knows that one exists; see `compliance.sar.circle`.
"""
