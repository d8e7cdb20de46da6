"""Health: what every process leaves in Redis of itself, and what follows from it for the whole.

May import: runtime.game, runtime.messaging, runtime.storage.
"""
