"""What may be said of a suite's models: verdicts, ranks, intervals, thresholds, calibration."""
