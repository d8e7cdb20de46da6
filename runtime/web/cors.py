"""Pages of other origins that may read answers: those that a setting names, by bearer token and never by cookie."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import falcon

EXPOSED = ("X-Request-Id", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Next-Cursor")


class CrossOrigin(falcon.CORSMiddleware[Any, Any]):
    """Falcon's own, which allows no credentials; with Vary, so that no cache gives one origin's answer to another."""

    def __init__(self, origins: Iterable[str]) -> None:
        super().__init__(allow_origins=origins, expose_headers=EXPOSED)

    def process_response(self, req: falcon.Request, resp: falcon.Response, resource: Any, req_succeeded: bool) -> None:
        """Tell the browser whether the page may read the answer, and a preflight what it may send."""
        super().process_response(req, resp, resource, req_succeeded)
        resp.append_header("Vary", "Origin")
