"""Clients who may leave: dormancy by each client's own rhythm."""
