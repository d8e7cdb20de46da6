"""The API for developers: a changed function answers the next request, in the same process, and streams go on."""

from __future__ import annotations

import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from typing import Any

import falcon

from runtime.errors import TaptradeError
from runtime.function_files import functions_folder
from runtime.settings import load
from runtime.web.answers import PROBLEM_JSON, plain_problem, write_http_error
from runtime.web.app import App
from runtime.web.incoming import Request
from runtime.wiring import Prepared, prepare
from taptrade.reloading import LOOK_EVERY_S, Watch, forget

logger = logging.getLogger(__name__)
Answer = Callable[[dict[str, Any], Any], Iterable[bytes]]


class ReloadingApp:
    """An app that is built anew when a function changes; while one is broken, every answer says so."""

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self._watch = Watch(loaded_only=True)
        self._answer: Answer = self._build()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request."""
        return self._answer(environ, start_response)

    def look(self) -> None:
        """Build anew if a function changed; begin the whole process anew if something else did."""
        changed = self._watch.changed()
        if any(file.parent != functions_folder().resolve() for file in changed):
            os.kill(os.getppid(), signal.SIGTERM)
        elif changed:
            began_ms = self._prepared.parts.clock.monotonic_ms()
            forget(changed)
            self._answer = self._build()
            took_ms = self._prepared.parts.clock.monotonic_ms() - began_ms
            if not isinstance(self._answer, _Broken):
                logger.info("%s in use after %d ms", ", ".join(file.name for file in changed), took_ms)

    def _build(self) -> Answer:
        try:
            app: App = self._prepared.build()
        except TaptradeError as ex:
            logger.error("%s", ex)  # noqa: TRY400  a developer is told where in a sentence
            return _Broken(str(ex))
        app.add_error_handler(Exception, write_crash)
        return app


class _Broken:
    """Answer everything with what is broken."""

    def __init__(self, sentence: str) -> None:
        self._body = plain_problem(500, sentence, "")

    def __call__(self, _environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        headers = [("Content-Type", PROBLEM_JSON), ("Content-Length", str(len(self._body)))]
        start_response("500 Internal Server Error", headers)
        return [self._body]


def write_crash(req: Request, resp: falcon.Response, error: Exception, _fields: dict[str, Any]) -> None:
    """Answer 500 with what happened and where, which only a developer is told; the log has the whole of it."""
    logger.error("unhandled error in %s %s", req.method, req.path, exc_info=error)
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename.startswith(str(functions_folder()))] or frames
    where = f"{own[-1].filename}, line {own[-1].lineno}"
    resp.status = 500
    write_http_error(req, resp, falcon.HTTPInternalServerError(description=f"{where}: {type(error).__name__}: {error}"))


def get_app() -> ReloadingApp:
    """Build the app of this process; what gunicorn calls."""
    # What was compiled within the second of an edit would look as if it were of the file as it is.
    sys.dont_write_bytecode = True
    prepared = prepare(load())
    app = ReloadingApp(prepared)
    prepared.parts.background.repeat("reload", app.look, LOOK_EVERY_S)
    return app
