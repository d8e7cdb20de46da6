"""The command line, the launcher and the player."""

__version__ = "0.1.0"
