"""SQLite: connections and the one write transaction, migrations, the pool of readers, the stored ticks.

May import: runtime.game.
"""
