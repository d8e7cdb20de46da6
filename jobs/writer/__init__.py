"""The single writer: it takes whole jobs, commits many of them in one transaction, and publishes what came of it.

May import: runtime.betting, runtime.game, runtime.market, runtime.messaging, runtime.metrics, runtime.personal,
runtime.postgresql, runtime.records, runtime.storage.
"""
