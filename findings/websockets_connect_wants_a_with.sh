#!/bin/sh
# websockets 17.4, the synchronous client: `connect()` still returns a connection that works, but unless it is the
# subject of a `with` statement the first `recv()` warns that this is deprecated, and names `legacy=True`. Nothing is said
# when the connection is made, so code that opens a connection in one place and reads it in another, as a feed that
# reconnects does, passes its tests for connecting and fails where warnings are errors, at the first message. An
# ExitStack that enters the connection is enough: no `with` line is needed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet websockets==17.4

cat >read.py <<'CODE'
import threading
import warnings
from contextlib import ExitStack

from websockets.sync.client import connect
from websockets.sync.server import serve


def greet(connection):
    connection.send("hello")
    for _ in connection:
        pass


def told(caught):
    return " ".join(each.category.__name__ for each in caught) or "no warning"


with serve(greet, "127.0.0.1", 0) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        plain = connect(url, proxy=None)
        print("connect():", told(caught))
        print("recv():", plain.recv(), "-", told(caught))
        plain.close()
    with warnings.catch_warnings(record=True) as caught, ExitStack() as stack:
        warnings.simplefilter("always")
        entered = stack.enter_context(connect(url, proxy=None))
        print("entered, recv():", entered.recv(), "-", told(caught))
    server.shutdown()
CODE
cat >expected <<'TEXT'
connect(): no warning
recv(): hello - DeprecationWarning
entered, recv(): hello - no warning
TEXT
venv/bin/python read.py | tee seen
diff expected seen
