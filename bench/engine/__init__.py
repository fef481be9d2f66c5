"""What the harness itself costs, measured against what others use."""
