"""The endpoints: one small file each, found by discovery.

May import: runtime.
"""
