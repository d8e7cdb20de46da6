"""Thousands of readers of the stream."""
