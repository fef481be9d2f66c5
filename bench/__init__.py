"""The harness: what to run, train and measure it, keep records, draw reports from them."""
