"""What goes wrong in a browser unseen: errors, refused sources, missing files, strangers that are asked."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError

OWN_SCHEMES = ("data", "blob")
NOT_LOADED = "Failed to load resource"


class Watch:
    """Whatever a browser's tabs complain of. What the API refuses, or a test breaks off, is that test's matter."""

    def __init__(self, context: BrowserContext, host: str) -> None:
        """`host` is the one that may be asked."""
        self.faults: list[str] = []
        self.asked: list[str] = []
        self._host = host
        context.on("weberror", self._on_error)
        context.on("console", self._on_console)
        context.on("request", self._on_request)
        context.on("response", self._on_response)

    def _on_error(self, error: WebError) -> None:
        self.faults.append(f"uncaught: {error.error}")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(NOT_LOADED):
            self.faults.append(f"console: {message.text}")

    def _on_request(self, request: Request) -> None:
        self.asked.append(request.url)
        parts = urlsplit(request.url)
        if parts.scheme not in OWN_SCHEMES and parts.netloc != self._host:
            self.faults.append(f"asked a stranger: {request.url}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400 and not urlsplit(response.url).path.startswith("/api/"):
            self.faults.append(f"{response.status}: {response.url}")
