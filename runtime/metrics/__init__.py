"""Metrics: the table of every name, counted in memory, and Prometheus' text of it.

May import: nothing.
"""
