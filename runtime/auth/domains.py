"""Under which names a system is met: what logins are signed for, and where its own pages come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from runtime.hosts import without_default_port
from runtime.settings import Settings
from runtime.settings_table import Mode

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class Domains:
    """The accepted domains; in demo mode the names of this machine for itself are one, with the same port.

    In live mode they are not: there a domain is what the operator wrote, and nothing else.
    """

    def __init__(self, domains: Sequence[str], mode: Mode) -> None:
        self.main = domains[0]
        self.accepted = list(domains)
        self._of: dict[str, str] = {}
        for domain in domains:
            for name in names_of(domain) if mode == "demo" else (domain,):
                self._of.setdefault(name, domain)

    def find(self, name: str | None) -> str | None:
        """Return the accepted domain that `name` (a host, with its port if it has one) stands for, None if none."""
        return None if name is None else self._of.get(without_default_port(name))


def domains_of(settings: Settings) -> Domains:
    """Return the domains of the settings."""
    return _made(settings.domains, settings.mode)


@lru_cache(maxsize=8)
def _made(domains: tuple[str, ...], mode: Mode) -> Domains:
    return Domains(domains, mode)


def names_of(domain: str) -> Iterator[str]:
    """Yield a domain, and with one of this machine's names for itself the others too, with the same port."""
    yield domain
    for host in LOOPBACK:
        port = domain.removeprefix(host)
        if port != domain and (not port or port.startswith(":")):
            yield from (other + port for other in LOOPBACK)
