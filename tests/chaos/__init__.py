"""Faults under load, and the count afterwards: nothing lost, nothing invented."""
