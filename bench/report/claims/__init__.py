"""Each claim of the paper, and what the records say of it."""
