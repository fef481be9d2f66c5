"""Records in, documents out. Nothing here imports torch or carries a number of its own."""
