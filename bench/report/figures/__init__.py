"""Figures of a suite, drawn from its records and stored predictions alone; one figure a file."""
