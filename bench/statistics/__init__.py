"""Intervals and tests; NumPy only."""
