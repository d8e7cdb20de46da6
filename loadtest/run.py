"""One load test from start to end: a server if none runs, locust for a minute, the audit, and everything stopped again.

python loadtest/run.py [OPTION OF LOCUST ...]
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import httpx

from runtime.settings import load

HERE = Path(__file__).parent
DATA = HERE.parent / "build" / "loadtest"
log = logging.getLogger("loadtest")
START_S_MAX = 60
STOP_S_MAX = 60
ROOM = {
    # All players come from one address here; what protects a public server would only measure itself.
    "TAPTRADE_LOGINS_PER_MINUTE": "100000",
    "TAPTRADE_REQUESTS_PER_MINUTE": "10000000",
}


def answers(url: str) -> bool:
    """Tell whether a healthy server is there."""
    try:
        return httpx.get(f"{url}/healthz", timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False


def listens(url: str) -> bool:
    """Tell whether any server is there."""
    try:
        httpx.get(f"{url}/healthz", timeout=5, trust_env=False)
    except httpx.ConnectError:
        return False
    except httpx.TransportError:
        return True
    return True


@contextmanager
def server(url: str) -> Iterator[dict[str, str]]:
    """Use the server that runs, or start one over an own data folder; the environment that the audit needs."""
    if listens(url):
        log.info("using the server at %s", url)
        yield dict(os.environ)
        return
    shutil.rmtree(DATA, ignore_errors=True)
    DATA.mkdir(parents=True)
    environment = {**os.environ, **ROOM, "TAPTRADE_DATA": str(DATA)}
    log.info("starting a server at %s, data in %s", url, DATA)
    with (DATA / "run.log").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "taptrade", "up"],
            env=environment,
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
        )
    try:
        pause = Event()
        for _ in range(START_S_MAX * 2):
            if answers(url) or process.poll() is not None:
                break
            pause.wait(0.5)
        if process.poll() is not None or not answers(url):
            raise SystemExit(f"load test: the server did not start; see {DATA / 'run.log'}")
        yield environment
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(STOP_S_MAX)


def main(options: list[str]) -> int:
    """Run the load test; locust's exit code, which the audit has a say in."""
    logging.basicConfig(level=logging.INFO, format="load test: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    url = f"http://127.0.0.1:{load().port}"
    with server(url) as environment:
        command = [sys.executable, "-m", "locust", "-f", str(HERE / "locustfile.py"), "--headless", "--only-summary"]
        return subprocess.run([*command, "--host", url, *options], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
