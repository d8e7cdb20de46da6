"""The page that asks for the key."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from werkzeug.wrappers import Response

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>taptrade: queues</title>
<h1>Queues and workers</h1>
<form method="post" action="/_sign-in">
<label>Key <input type="password" name="key" autocomplete="current-password" required autofocus></label>
<button>Sign in</button>
</form>
<p>{said}</p>
<p><code>taptrade dashboard</code> prints the key.</p>
</html>
"""


def page(status: int, said: str = "", headers: Mapping[str, str] | None = None) -> Response:
    """Ask for the key, and say what was wrong with the last one."""
    text = _PAGE.format(said=escape(said))
    return Response(
        text, status, {"Cache-Control": "no-store", **(headers or {})}, content_type="text/html; charset=utf-8"
    )
