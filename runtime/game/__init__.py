"""The rules of the game, pure: no clock, no network, no files."""
