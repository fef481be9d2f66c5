"""Suites beyond one machine: on a Ray cluster, or as a Slurm job array. It schedules nothing."""
