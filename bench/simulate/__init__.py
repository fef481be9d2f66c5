"""Whether the statistics can be believed, measured in worlds whose truth is known."""
