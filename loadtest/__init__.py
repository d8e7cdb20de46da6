"""Load on the real system, and what is measured of it: `python -m loadtest --help`."""
