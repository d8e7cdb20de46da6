"""The operator's dashboard: rq-dashboard behind a sign-in of ours, open to its own pages only.

May import: runtime.auth, runtime.messaging.
"""
