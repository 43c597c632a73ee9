"""Starts Keelson on one machine: embedded servers for development, and the supervisor of its processes."""
