"""What the harness can detect: planted effects, the smallest effect, and the cues of real data."""
