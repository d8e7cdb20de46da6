"""What keeps the house in order: hourly backup, daily audit, weekly archive.

May import: runtime.archive, runtime.audit, runtime.game, runtime.messaging, runtime.personal, runtime.postgresql,
runtime.storage, runtime.triggers.
"""
