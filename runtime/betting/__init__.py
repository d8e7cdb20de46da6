"""A bet from its arrival to its queue and back: admission control, checks without state, its fate, idempotency keys.

May import: runtime.auth, runtime.game, runtime.messaging, runtime.storage, runtime.web.
"""
