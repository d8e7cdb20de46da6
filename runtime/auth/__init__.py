"""Who is asking: wallet signatures, Sign-In with Ethereum, sessions.

May import: runtime.messaging.
"""
