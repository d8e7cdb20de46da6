"""Archived weeks: which are closed, what lies in their files, where these are, and how they are read with the live one.

May import: runtime.game.
"""
