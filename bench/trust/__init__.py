"""Whether the timer can be believed, measured."""
