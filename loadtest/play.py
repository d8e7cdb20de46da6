"""`make loadtest`: a server if none runs, locust for a minute, the audit, and everything stopped again.

python -m loadtest.play [OPTION OF LOCUST ...]
"""

from __future__ import annotations

import logging
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from loadtest.bench.processes import BenchFailed
from loadtest.bench.system import started
from loadtest.measurement import BUILD
from runtime.settings import load

PLAYERS = Path(__file__).parent / "locustfile.py"
ROOM = {
    # All players come from one address here; what protects a public server would only measure itself.
    "TAPTRADE_LOGINS_PER_MINUTE": "100000",
    "TAPTRADE_REQUESTS_PER_MINUTE": "10000000",
}
log = logging.getLogger("loadtest")


@contextmanager
def server(port: int) -> Iterator[Mapping[str, str]]:
    """Use the server that runs, or start one over an own data folder; the environment that the audit needs."""
    with socket.socket() as probe:
        runs = probe.connect_ex(("127.0.0.1", port)) == 0
    if runs:
        log.info("using the server on port %d", port)
        yield os.environ
        return
    data = BUILD / "loadtest"
    shutil.rmtree(data, ignore_errors=True)
    BUILD.mkdir(exist_ok=True)
    log.info("starting a server on port %d, data in %s", port, data)
    with started(data, {**os.environ, **ROOM, "TAPTRADE_DATA": str(data)}) as running:
        yield running.environment


def main(options: list[str]) -> int:
    """Run the load test; locust's exit code, which the audit has a say in."""
    logging.basicConfig(level=logging.INFO, format="load test: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    port = load().port
    with server(port) as environment:
        command = [sys.executable, "-m", "locust", "-f", str(PLAYERS), "--headless", "--only-summary"]
        return subprocess.run(
            [*command, "--host", f"http://127.0.0.1:{port}", *options], env=environment, check=False
        ).returncode


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except BenchFailed as ex:
        sys.exit(f"load test: {ex}")
