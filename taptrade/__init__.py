"""The command line, the launcher and the player.

May import: jobs, runtime. Nothing imports it.
"""

__version__ = "0.1.0"
