"""The API for developers: a changed function answers the next request, in the same process, and streams go on."""

from __future__ import annotations

import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any

import falcon

from runtime.errors import TaptradeError
from runtime.function_files import DiscoveryError, functions_folder
from runtime.function_settings import file_of
from runtime.function_types import line_of
from runtime.settings import load
from runtime.web.answers import PROBLEM_JSON, plain_problem, write_http_error
from runtime.web.app import App
from runtime.web.declaration import Function
from runtime.web.incoming import Request
from runtime.wiring import Prepared, prepare
from taptrade.function_check import find
from taptrade.reloading import LOOK_EVERY_S, Watch, forget

logger = logging.getLogger(__name__)
Answer = Callable[[dict[str, Any], Any], Iterable[bytes]]


class ReloadingApp:
    """An app that is built anew when a function changes; while one is broken, every answer says so."""

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self._given = file_of(prepared.parts.settings)
        self._watch = Watch(loaded_only=True, also=[self._given])
        self._unclaimed: list[str] = []
        self._answer: Answer = self._build()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request."""
        return self._answer(environ, start_response)

    def look(self) -> None:
        """Build anew if a function or its settings changed; begin the whole process anew if something else did."""
        changed = self._watch.changed()
        if any(file.parent != functions_folder().resolve() and file != self._given for file in changed):
            os.kill(os.getppid(), signal.SIGTERM)
        elif changed:
            began_ms = self._prepared.parts.clock.monotonic_ms()
            forget(changed)
            self._answer = self._build(", ".join(file.name for file in changed), began_ms)

    def _build(self, changed: str = "", began_ms: float = 0) -> Answer:
        """Build an app of all functions, and tell the developer what came of it."""
        try:
            found = find(self._prepared.parts.settings)
            endpoints = [_as_far_as_given(one, found.faults) for one in found.endpoints]
            app: App = self._prepared.build(endpoints, found.given)
        except TaptradeError as ex:
            logger.error("%s", ex)  # noqa: TRY400  a developer is told where in a sentence
            return _Broken(str(ex))
        app.add_error_handler(Exception, write_crash)
        if found.faults:
            logger.error("%s", next(iter(found.faults.values())))
        elif changed:
            logger.info("%s in use after %d ms", changed, self._prepared.parts.clock.monotonic_ms() - began_ms)
        if changed and found.unclaimed != self._unclaimed:  # those of the start were told by the start
            for sentence in found.unclaimed:
                logger.warning("%s", sentence)
        self._unclaimed = found.unclaimed
        return app


def _as_far_as_given(one: Function, faults: Mapping[str, DiscoveryError]) -> Function:
    """Return an endpoint as it is, or one that answers what is wrong with its settings."""
    fault = faults.get(one.name)
    if fault is None:
        return one

    @wraps(one.handler)
    def tell(_call: Any) -> Any:
        raise DiscoveryError(fault.file, fault.reason)

    return replace(one, handler=tell)


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
    if isinstance(error, DiscoveryError):  # what its settings lack, which the terminal has told
        said = str(error)
    else:
        logger.error("unhandled error in %s %s", req.method, req.path, exc_info=error)
        said = f"{_where(error, req.function)}: {type(error).__name__}: {error}"
    resp.status = 500
    write_http_error(req, resp, falcon.HTTPInternalServerError(description=said))


def _where(error: Exception, function: Function | None) -> str:
    """Say in which line of a function it happened; where none of its lines was at work, which function it was too."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename.startswith(str(functions_folder()))]
    last = (own or frames)[-1]
    where = f"{last.filename}, line {last.lineno}"
    if own or function is None:
        return where
    # Its answer could not be written, and the lines that tried are none of its.
    return f"{function.file}, line {line_of(function.file, function.handler.__name__)} (met in {where})"


def get_app() -> ReloadingApp:
    """Build the app of this process; what gunicorn calls."""
    # What was compiled within the second of an edit would look as if it were of the file as it is.
    sys.dont_write_bytecode = True
    prepared = prepare(load())
    app = ReloadingApp(prepared)
    prepared.parts.background.repeat("reload", app.look, LOOK_EVERY_S)
    return app
