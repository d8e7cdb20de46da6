"""The function framework: declaration and call of a function, discovery, the app, problem+json, OpenAPI.

It knows nothing of the game: what handlers need is handed through it unseen.

May import: runtime.metrics.
"""
