"""The rules of the game, pure: no clock, no network, no files. Ledger SQL belongs here, since it is the rule.

May import: nothing, not even the ground; the standard library is all it needs.
"""
