"""The market as a process knows it: newest tick, grid and breaker.

May import: runtime.game, runtime.messaging.
"""
