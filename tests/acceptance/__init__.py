"""The real processes, played from outside."""
