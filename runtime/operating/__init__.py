"""What an operator sees and decides, by the command line or by the page: the same rows and rules for both.

May import: runtime.game, runtime.messaging, runtime.records.
"""
