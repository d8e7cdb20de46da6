"""nginx in front of the API's Unix socket."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import httpx
import pytest

from tests.nginx.conftest import ROOT, running_edge
from tests.runtime.server.rig import OURS, serving


@pytest.mark.integration
def test_requests_go_to_the_socket_and_say_whose_they_are(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "api.sock")
        with (
            serving(Path(folder), OURS, "-b", f"unix:{path}", "--umask", "0o177"),
            running_edge(tmp_path, f"unix:{path}") as url,
            httpx.Client(base_url=url) as client,
        ):
            for _ in range(2):
                seen = client.get("/echo").json()
                assert (seen["REMOTE_ADDR"], seen["HTTP_X_FORWARDED_FOR"]) == ("", "127.0.0.1")


def test_an_address_that_is_none_is_refused() -> None:
    said = subprocess.run(["sh", str(ROOT / "nginx" / "api"), "unix:/a b"], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout) == (2, "")
    assert "unix:/a b: an address such as 127.0.0.1:8000 is wanted, or unix:/a/path" in said.stderr
