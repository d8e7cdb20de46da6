"""Secrets among the settings: refused without being shown, and never part of a text."""

from __future__ import annotations

import traceback

import pytest

from runtime.settings import SettingsError, load
from runtime.settings_table import TABLE

SECRET = "a-secret-of-more-than-32-characters"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        pytest.param("redis://:hidden/word@host:6379/0", "in percent", id="slash in the password"),
        pytest.param("redis://:hidden#word@host:6379/0", "in percent", id="number sign in the password"),
        pytest.param("redis://:hidden word@host:port", "in percent", id="blank in the password"),
        pytest.param("redis://:hidden@host:port/0", "in percent", id="port that is a word"),
        pytest.param("redis://:hidden@host:99999/0", "in percent", id="port out of range"),
        pytest.param("redis://:hidden@[::1/0", "in percent", id="half a bracket"),
        pytest.param("redis://host:6379/0?password=hidden", "before the host", id="password in the query"),
        pytest.param("unix:///run/redis.sock?password=hidden", "before the host", id="password of a socket"),
        pytest.param("http://:hidden@host", "must begin with", id="scheme"),
    ],
)
def test_an_address_of_redis_that_cannot_be_used_is_refused_unseen(url: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=rf"TAPTRADE_REDIS_URL=\*\*\*: .*{reason}") as caught:
        load({"TAPTRADE_REDIS_URL": url})
    assert "hidden" not in str(caught.value)
    assert "hidden" not in "".join(traceback.format_exception(caught.value)).replace(url, "")


@pytest.mark.parametrize("variable", ["TAPTRADE_PROCESSOR_SECRET", "TAPTRADE_DASHBOARD_KEY"])
def test_a_short_secret_is_refused_unseen(variable: str) -> None:
    with pytest.raises(SettingsError, match=rf"{variable}=\*\*\*: must be at least 32 characters") as caught:
        load({variable: "short-one"})
    assert "short-one" not in str(caught.value)


def test_the_settings_text_shows_no_secret() -> None:
    urls = {"TAPTRADE_REDIS_URL": f"redis://:{SECRET}@host", "TAPTRADE_DATABASE_URL": f"postgresql://a:{SECRET}@host/b"}
    secrets = {row.variable: SECRET for row in TABLE if row.secret} | urls
    settings = load(secrets)
    assert (settings.processor_secret, settings.dashboard_key) == (SECRET, SECRET)
    assert SECRET not in f"{settings} {settings!r}"
    assert "port=8000" in repr(settings)


def test_the_dashboards_domains_are_those_of_this_machine_unless_set() -> None:
    assert load({"TAPTRADE_DASHBOARD_PORT": "9999"}).dashboard_domains == ("127.0.0.1:9999",)
    assert load({"TAPTRADE_DASHBOARD_DOMAIN": "Ops.Example, 127.0.0.1:1"}).dashboard_domains == (
        "ops.example",
        "127.0.0.1:1",
    )
