"""A steady load for a long time: what stays flat, and what grows."""
