"""Trials: what design and protocol are chosen by, on validation alone; no test split is opened."""
