"""What tells who a player is: sealed by a key of that player's, opened where it is shown, and forgotten with the key.

May import: runtime.game.
"""
