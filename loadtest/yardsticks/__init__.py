"""Yardsticks: simpler things measured in the same run, which the system's figures are divided by."""
