"""SQLite: connections, the one write transaction, the write-ahead log, migrations, the pool of readers, stored ticks.

May import: runtime.game, runtime.metrics, runtime.personal.
"""
