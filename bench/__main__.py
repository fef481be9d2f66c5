"""``python -m bench``."""

import os

# Threads that wait for each other sleep soon instead of spinning: on a machine with anything else
# to do, spinning makes small networks about ten times slower. Read when OpenMP is loaded.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

from bench.cli import main

main()
