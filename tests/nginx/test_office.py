"""Many players behind one address: files of the page are counted apart, floods hold back their sender alone."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.attack.office import FILES, FLOOD, OFFICE
from tests.nginx.answers import problem
from tests.nginx.conftest import SMALLER, running_edge
from tests.nginx.stand_in import StandIn

PAGES = 5
FEW_FILES = (
    ("page_headers.conf", "zone=files burst=8000 ", "zone=files burst=4 "),
    ("clients.conf", "rate=600r/s", "rate=1r/s"),
    ("clients.conf", "rate=200r/s", "rate=100000r/s"),
)


def statuses(client: httpx.Client, path: str, number: int, headers: dict[str, str]) -> list[int]:
    """Ask a number of times."""
    return [client.get(path, headers=headers).status_code for _ in range(number)]


def test_pages_open_whole_for_all_while_a_flood_of_their_own_address_is_held_back(
    stand_in: StandIn, tmp_path: Path
) -> None:
    with running_edge(tmp_path, stand_in.port, SMALLER) as url, httpx.Client(base_url=url, headers=OFFICE) as client:
        assert 429 in statuses(client, "/api/time", 8, OFFICE)
        assert {client.get(file).status_code for _ in range(PAGES) for file in FILES} == {200}


def test_a_flood_for_files_holds_back_files_of_its_sender_alone(stand_in: StandIn, tmp_path: Path) -> None:
    with running_edge(tmp_path, stand_in.port, FEW_FILES) as url, httpx.Client(base_url=url) as client:
        flooded = statuses(client, FILES[-1], 12, FLOOD)
        assert flooded[:5] == [200] * 5
        problem(client.get("/", headers=FLOOD), 429, "RATE_LIMITED", retryable=True)
        assert statuses(client, "/api/time", 8, FLOOD) == [200] * 8
        assert statuses(client, FILES[-1], 4, OFFICE) == [200] * 4
