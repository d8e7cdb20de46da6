"""Webhooks: who wants to be told of which events, what is sent to them, how it is signed, and where it must not go.

May import: runtime.game, runtime.messaging, runtime.storage, runtime.triggers.
"""
