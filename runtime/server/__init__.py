"""How the API is served: a gunicorn worker with a fast path for plain requests and gunicorn's own for the rest.

May import: runtime.web.
"""

from __future__ import annotations

from runtime.server.worker import TapWorker

__all__ = ["TapWorker"]
