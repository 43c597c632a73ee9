"""Abuse by traders: detectors over trades and quotes, and the episodes that the risk desk decides."""
