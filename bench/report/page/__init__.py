"""A suite's page: one HTML file that shows all that its records say, and needs nothing else."""
