"""Start real processes of ours in tests, as the supervisor would, and end them."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from taptrade.processes import command
from tests.interpreter import preferring

ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def serving(name: str, data: Path, url: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run `taptrade serve NAME` with its output in `data`/NAME.log; at the end it must stop cleanly on SIGTERM."""
    data.mkdir(parents=True, exist_ok=True)
    variables = {
        **os.environ,
        "TAPTRADE_DATA": str(data),
        "TAPTRADE_REDIS_URL": url,
        "TAPTRADE_LOG_LEVEL": "INFO",
        **environment,
    }
    log_path = data / f"{name}.log"
    with log_path.open("ab") as log:
        # The jobs of tests are modules of ours that are not installed.
        process = subprocess.Popen(
            command(name, python=preferring(ROOT, data / "python")), env=variables, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        killed = process.poll() == -signal.SIGKILL
        process.terminate()
        try:
            status = process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
    assert killed or status == 0, log_path.read_text()
