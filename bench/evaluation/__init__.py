"""Predictions and their scores."""
