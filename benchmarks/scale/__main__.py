"""Prints the tables of docs/scale.md: `python -m benchmarks.scale`."""

import sys

from benchmarks.scale.tables import tables

if __name__ == "__main__":
    sys.stdout.write("\n\n".join(tables().values()) + "\n")
