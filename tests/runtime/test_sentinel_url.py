"""URLs that name sentinels: what is read of them, and that what is wrong is said without a password."""

from __future__ import annotations

import pytest

from runtime.sentinel_url import SentinelUrl, read_sentinel_url
from runtime.settings import SettingsError, load
from taptrade.announce import hide_password


@pytest.mark.parametrize(
    ("url", "read"),
    [
        pytest.param(
            "redis+sentinel://one:26379,two:5000,three/house/2",
            SentinelUrl((("one", 26379), ("two", 5000), ("three", 26379)), "house", "redis://sentinel/2"),
            id="hosts, a service and a number",
        ),
        pytest.param(
            "rediss+sentinel://me:a%2Fb@[::1]:26379,[::2]/house?ssl_ca_certs=%2Fca",
            SentinelUrl((("::1", 26379), ("::2", 26379)), "house", "rediss://me:a%2Fb@sentinel?ssl_ca_certs=%2Fca"),
            id="TLS, a password and addresses of version 6",
        ),
        pytest.param(
            "redis+sentinel://one/my%20house/0?sentinel_username=s&sentinel_password=p%26q&socket_timeout=3",
            SentinelUrl((("one", 26379),), "my house", "redis://sentinel/0?socket_timeout=3", "s", "p&q"),
            id="a password for the sentinels",
        ),
    ],
)
def test_a_url_is_read(url: str, read: SentinelUrl) -> None:
    assert read_sentinel_url(url) == read
    assert load({"TAPTRADE_REDIS_URL": url}).redis_url == url


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("redis+sentinel://:opensesame@one", id="no service"),
        pytest.param("redis+sentinel://:opensesame@one/house/two", id="no number"),
        pytest.param("redis+sentinel://:opensesame@one:0/house", id="port 0"),
        pytest.param("redis+sentinel://:opensesame@one:99999/house", id="a port too high"),
        pytest.param("redis+sentinel://:opensesame@one,,two/house", id="an empty host"),
        pytest.param("redis+sentinel://one/house?password=opensesame", id="a password where it is shown"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(SettingsError, match="TAPTRADE_REDIS_URL=") as refused:
        load({"TAPTRADE_REDIS_URL": url})
    assert "opensesame" not in str(refused.value)


def test_no_password_is_shown() -> None:
    url = "redis+sentinel://me:opensesame@one,two/house/0?sentinel_password=opensesame&socket_timeout=3"
    assert "opensesame" not in repr(read_sentinel_url(url))
    shown = "redis+sentinel://***@one,two/house/0?sentinel_password=***&socket_timeout=3"
    assert hide_password(url) == shown
