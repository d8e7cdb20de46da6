"""The single writer: batches of commands in, one transaction each, then its events.

May import: runtime.betting, runtime.game, runtime.messaging, runtime.metrics, runtime.records, runtime.storage.
"""
