"""Where a reader of the stream stands between two connections, for those who wait and those who await."""

from __future__ import annotations

from collections.abc import Iterator

import httpx

from taptrade.client.grid_changes import ASKED, GridChanges
from taptrade.client.problems import api_error
from taptrade.client.sse import SseParser, StreamEvent

RETRY_MS = 1_000
RETRY_MS_MAX = 10_000
_GONE_FOR_GOOD = frozenset({400, 403, 404})
# A 401 is not: the session may be renewed between two connections.


class Standing:
    """Where a reader stands: the cursor to resume from, how long to wait before the next connection, and the grid."""

    def __init__(self, url: str) -> None:
        self.url = f"{url}{'&' if '?' in url else '?'}{ASKED}"
        self.last_id = ""
        self._grids = GridChanges()
        self._retry_ms = RETRY_MS
        self._wait_ms = RETRY_MS

    def headers(self, token: str) -> dict[str, str]:
        """Return what a connection is asked for with."""
        headers = {"Accept": "text/event-stream"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if self.last_id:
            headers["Last-Event-ID"] = self.last_id
        return headers

    def wait_s(self) -> float:
        """Return how long to wait now; twice as long the next time, if nothing comes until then."""
        wait_s = self._wait_ms / 1000
        self._wait_ms = min(2 * self._wait_ms, RETRY_MS_MAX)
        return wait_s

    def refused(self, response: httpx.Response) -> None:
        """Note a refusal; raise ApiError where trying again cannot help."""
        if response.status_code == httpx.codes.BAD_REQUEST and self.last_id:
            # A cursor that is not understood any more: begin anew, with a snapshot.
            self.last_id = ""
        elif response.status_code in _GONE_FOR_GOOD:
            raise api_error(response)
        self._wait_ms = max(self._wait_ms, int(1000 * (api_error(response).retry_after_s or 0)))

    def parser(self) -> SseParser:
        """Return what cuts a new connection's bytes, from there on."""
        parser = SseParser()
        parser.last_id = self.last_id
        return parser

    def heard(self, parser: SseParser, chunk: bytes) -> Iterator[StreamEvent]:
        """Take what a connection brings and give its events, each once it is noted, with grids put together."""
        for event in parser.feed(chunk):
            self.last_id = event.id
            self._wait_ms = self._retry_ms = parser.retry_ms or self._retry_ms
            whole = self._grids.whole(event)
            if whole is not None:
                yield whole
