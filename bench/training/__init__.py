"""Training: one model, one data set, one seed, until a checkpoint is chosen on validation."""
