"""One request, one answer, awaited: no retries. `taptrade.client.account` is what survives a line that breaks."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import httpx

from taptrade.client import over_http
from taptrade.client.calls import Call, T
from taptrade.house_address import house_address


class AsyncTapClient:
    """Speak to one server, by the calls of `taptrade.client.calls`; `token` is the session's.

    Raise ApiError where the server refuses, httpx.TransportError where no answer came.
    """

    def __init__(self, url: str, *, token: str = "", transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.url = house_address(url)
        self.token = token
        self._http = httpx.AsyncClient(transport=transport, **over_http.settings(url))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, ex: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def send(self, call: Call[T]) -> T:
        """Send one call and return its answer."""
        try:
            response = await self._http.request(**over_http.request(self.url, call, self.token))
        except httpx.DecodingError as ex:
            raise over_http.unpacked(ex) from ex
        return over_http.read(call, response)
