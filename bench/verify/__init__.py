"""Whether what is published is what the stored predictions and records say."""
