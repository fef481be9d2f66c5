"""Models against their rivals, timed in turn in one process: ratios, and floors to reach."""
