"""Machines made of network namespaces on one bridge: what runs in one reaches the others unless a fault forbids it."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

NAMES = ("a", "b", "c")
PACKAGES = {
    "ip": "iproute2",
    "iptables": "iptables",
    "setpriv": "util-linux",
    "sysctl": "procps",
    "etcd": "etcd-server",
}
"""What runs on the machines and makes them, and the Debian package that has it."""


class NoMachines(Exception):
    """Namespaces cannot be made here; the message says why."""


@dataclass(slots=True)
class Machines:
    """Three machines, and we ourselves on the bridge between them, where the players are."""

    tag: str
    net: str
    blocked: set[tuple[str, str]] = field(default_factory=set)
    """(from, to): packets that do not arrive."""

    def address(self, name: str) -> str:
        """Return a machine's address."""
        return f"{self.net}.{1 + NAMES.index(name)}"

    def namespace(self, name: str) -> str:
        """Return the name by which the kernel knows a machine."""
        return f"tap{self.tag}{name}"

    def within(self, name: str, command: Sequence[str], user: str | None = None) -> list[str]:
        """Return a command that runs on a machine, as a user if given; no process stands between."""
        whose = [] if user is None else ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--"]
        return ["ip", "netns", "exec", self.namespace(name), *whose, *command]

    def block(self, source: str, target: str) -> None:
        """Let nothing arrive that one machine sends another; what goes the other way still does."""
        self._rule("-A", source, target)
        self.blocked.add((source, target))

    def heal(self) -> None:
        """Let everything arrive again."""
        for source, target in sorted(self.blocked):
            self._rule("-D", source, target)
        self.blocked.clear()

    def _rule(self, what: str, source: str, target: str) -> None:
        rule = ["iptables", "-w", what, "INPUT", "-s", self.address(source), "-j", "DROP"]
        run(self.within(target, rule))


def run(command: Sequence[str]) -> str:
    """Run a command to its end; raise NoMachines with what it said if it failed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoMachines(f"`{' '.join(command)}`: {done.stderr.strip() or done.returncode}")
    return done.stdout


@contextmanager
def made() -> Iterator[Machines]:
    """Make the machines for the length of the block; then nothing of them is left, nor of what runs in them."""
    if os.geteuid():
        raise NoMachines("machines are made by root only")
    if missing := [tool for tool in PACKAGES if not shutil.which(tool)]:
        packages = " ".join(PACKAGES[tool] for tool in missing)
        raise NoMachines(f"there is no {', '.join(missing)}: `apt-get install {packages}`")
    machines = Machines(secrets.token_hex(2), f"10.213.{1 + secrets.randbelow(254)}")
    bridge = f"tap{machines.tag}"
    try:
        run(["ip", "link", "add", bridge, "type", "bridge"])
        run(["ip", "address", "add", f"{machines.net}.254/24", "dev", bridge])
        run(["ip", "link", "set", bridge, "up"])
        run(["iptables", "-w", "--insert", "FORWARD", *_between(bridge)])
        for name in NAMES:
            _make(machines, bridge, name)
        yield machines
    finally:
        for name in NAMES:
            _remove(machines.namespace(name))
        with suppress(NoMachines):
            run(["iptables", "-w", "--delete", "FORWARD", *_between(bridge)])
        with suppress(NoMachines):
            run(["ip", "link", "delete", bridge])


def _between(bridge: str) -> list[str]:
    # Where Docker is, or was, the firewall is asked about all that crosses a bridge, and drops what is not Docker's.
    return ["--in-interface", bridge, "--out-interface", bridge, "--jump", "ACCEPT"]


def _make(machines: Machines, bridge: str, name: str) -> None:
    namespace, outside = machines.namespace(name), f"{machines.namespace(name)}o"
    run(["ip", "netns", "add", namespace])
    run(["ip", "link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", namespace])
    run(["ip", "link", "set", outside, "master", bridge, "up"])
    for words in (
        ["address", "add", f"{machines.address(name)}/24", "dev", "eth0"],
        ["link", "set", "eth0", "up"],
        ["link", "set", "lo", "up"],
    ):
        run(["ip", "-n", namespace, *words])
    # As docs/postgresql.md has it for the machines of a database: what asks in vain does so anew every few seconds.
    run(["ip", "netns", "exec", namespace, "sysctl", "-qw", "net.ipv4.tcp_syn_retries=2"])


def _remove(namespace: str) -> None:
    with suppress(NoMachines):
        for _ in range(5):  # what is ended may just have begun another
            pids = [int(pid) for pid in run(["ip", "netns", "pids", namespace]).split()]
            if not pids:
                break
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        run(["ip", "netns", "delete", namespace])
