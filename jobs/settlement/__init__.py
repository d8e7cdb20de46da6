"""What is decided each second: which columns are settled on which evidence, and the breaker's state.

May import: runtime.audit, runtime.game, runtime.market, runtime.messaging, runtime.postgresql, runtime.storage,
runtime.triggers.
"""
