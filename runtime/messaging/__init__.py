"""Redis: its keys and what they hold, commands and queues, the outbox, the event bus, what all processes count.

May import: runtime.game, runtime.metrics.
"""
