"""What keeps the house in order: hourly backup, daily audit, the report of closed weeks.

May import: runtime.audit, runtime.game, runtime.messaging, runtime.storage.
"""
