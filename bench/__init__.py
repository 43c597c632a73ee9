"""Benchmarks: one module per capability, each measured beside a yardstick of the same run. `manage.py bench NAME`."""
