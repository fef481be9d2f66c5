"""Trained networks to use: made again from their records, kept as files, asked, exported."""
