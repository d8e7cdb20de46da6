"""Committed rows as players see them: accounts, bets, entries, columns, and the events that tell of them, in pages.

May import: runtime.game, runtime.web.
"""
