"""Pages on the gate: one run of it, its trial, and the course of every metric over revisions."""
