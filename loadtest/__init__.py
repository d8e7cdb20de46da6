"""Load on the running system: players for locust, and the bench."""
