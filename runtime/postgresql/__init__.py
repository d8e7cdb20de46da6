"""PostgreSQL as the engine of the ledger: all that differs from SQLite, and the choice between them, once at the start.

May import: runtime.game, runtime.personal, runtime.storage.
"""
