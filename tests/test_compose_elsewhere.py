"""A house whose database and Redis are elsewhere: every process of ours reaches them, and knows its machine."""

from __future__ import annotations

import configparser
import importlib
import re
from typing import Any

from tests.test_compose import ALL, COMPOSE, ROOT

TEXT = (ROOT / "compose.elsewhere.yaml").read_text("utf-8")
OVER: dict[str, Any] = importlib.import_module("yaml").safe_load(TEXT)
DEPLOYMENT = (ROOT / "docs" / "deployment.md").read_text("utf-8")


def unit(name: str) -> configparser.ConfigParser:
    """Read a unit; of a word that comes more than once the last one counts here."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(ROOT / "systemd" / name)
    return parser


def test_every_process_of_ours_reaches_them_and_nothing_else_is_changed() -> None:
    assert set(OVER["services"]) == {name for name in ALL if ALL[name]["image"] == "taptrade"}
    for service in OVER["services"].values():
        assert set(service) == {"hostname", "environment", "networks"}
        assert set(service["environment"]) == {"TAPTRADE_DATABASE_URL", "TAPTRADE_REDIS_URL"}
        assert list(service["networks"]) == ["outside"]
    assert not (COMPOSE["networks"]["outside"] or {}).get("internal")
    assert re.findall(r"\$\{[^}]*\$", TEXT) == []


def test_what_is_not_said_ends_the_start() -> None:
    """Without one of them a process would write to a ledger of its own, or never have the seat."""
    asked = dict(re.findall(r"\$\{(\w+):(.)", TEXT))
    assert asked == {"HOUSE_MACHINE": "?", "TAPTRADE_DATABASE_URL": "?", "TAPTRADE_REDIS_URL": "?"}
    assert all(name in DEPLOYMENT for name in asked)


def test_the_drop_in_opens_what_the_schemas_unit_closes_and_no_more() -> None:
    closed, opened = unit("taptrade-migrate.service")["Service"], unit("elsewhere.conf")["Service"]
    assert (closed["PrivateNetwork"], opened["PrivateNetwork"]) == ("yes", "no")
    assert (closed["IPAddressDeny"], opened["IPAddressDeny"]) == ("any", "")
    processes = unit("taptrade@.service")["Service"]
    together = f"{closed['RestrictAddressFamilies']} {opened['RestrictAddressFamilies']}"
    assert together == processes["RestrictAddressFamilies"]
    assert set(opened) - set(closed) <= {"Restart", "RestartSec"}
    # All other processes may go there as they are.
    assert "PrivateNetwork" not in processes
    assert "IPAddressDeny" not in processes
    assert "taptrade-migrate.service.d/elsewhere.conf" in DEPLOYMENT
