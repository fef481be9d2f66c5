"""Which run next, and where; survives a run that fails."""
