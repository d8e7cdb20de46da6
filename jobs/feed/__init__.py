"""The price feed: sources in, ticks and grids out.

May import: runtime.game, runtime.market, runtime.messaging, runtime.metrics, runtime.storage.
"""
