"""What `taptrade up` becomes once all is checked and prepared: supervisord, until Ctrl-C.

It begins in a fresh interpreter, which was never told a secret in its environment: its forks show that one for their
whole lives. The process stays the same one, and with it the lock of the data folder.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
from collections.abc import Mapping, Sequence
from io import FileIO
from pathlib import Path
from typing import Any

import msgspec
from supervisor.medusa import asyncore_25 as asyncore
from supervisor.options import ServerOptions
from supervisor.supervisord import Supervisor

from taptrade import forked, sockets
from taptrade.output import give_up_output, say_event
from taptrade.processes import ENDING, read_name


class RunOptions(ServerOptions):  # type: ignore[misc]
    """supervisord's options for a run that belongs to a terminal and to this very process.

    `secrets` are the variables that one process alone gets, by its name: they stand in no file and in no other
    process's environment.
    """

    def __init__(self, secrets: Mapping[str, Mapping[str, str]] | None = None) -> None:
        super().__init__()
        self._secrets = secrets or {}

    def processes_from_section(self, *arguments: Any, **named: Any) -> Any:
        """Hand each process its secrets, whenever the configuration is read."""
        found = super().processes_from_section(*arguments, **named)
        for process in found:
            process.environment = {**(process.environment or {}), **self._secrets.get(read_name(process.name)[0], {})}
        return found

    def execve(self, filename: str, command: list[str], environment: dict[str, str]) -> None:
        """Be the process in the fork that was just made for it, if it is ours; else become its program."""
        if forked.can_run(command):
            self._forget_secrets()
            forked.run(command, environment)
        super().execve(filename, command, environment)

    def _forget_secrets(self) -> None:
        self._secrets = {}
        for group in self.process_group_configs:
            for process in group.process_configs:
                process.environment = None

    def cleanup_fds(self) -> None:
        """Keep our files open: one of them is the lock of the data folder."""

    def setsignals(self) -> None:
        """Stop on SIGHUP too: when the terminal goes, the run goes with it."""
        super().setsignals()
        signal.signal(signal.SIGHUP, lambda _number, frame: self.signal_receiver.receive(signal.SIGTERM, frame))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


class EagerSupervisor(Supervisor):  # type: ignore[misc]
    """A supervisord that starts everything at once; it would first listen for a second.

    What is no fork of ours begins first, and loads what it runs while we load what the forks run.
    """

    def runforever(self) -> None:
        """Start everything, and keep it running."""
        groups = sorted(self.process_groups.values())
        for process in (process for group in groups for process in group.processes.values()):
            if not forked.can_run(shlex.split(process.config.command)):
                process.spawn()
        forked.load()
        for group in groups:
            group.transition()
        super().runforever()


def main(argv: Sequence[str]) -> int:
    """Be supervisord until it is told to stop."""
    parser = argparse.ArgumentParser(prog="taptrade.supervise", description=main.__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("lock", type=int)
    parser.add_argument("secrets", type=int)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(argv)
    lock = FileIO(given.lock, "r+")
    os.set_inheritable(given.lock, False)
    with FileIO(given.secrets) as told:
        secrets = msgspec.json.decode(told.readall(), type=dict[str, dict[str, str]])
    supervise(given.config, secrets)
    sockets.remove_folder(given.config.parent)
    lock.close()
    try:
        say_event("stopped", "stopped", as_json=given.json)
    except OSError:  # nobody listens any more
        give_up_output()
    return 0


def supervise(config: Path, secrets: Mapping[str, Mapping[str, str]]) -> None:
    """Run supervisord over a configuration."""
    options = RunOptions(secrets)
    options.realize(["-n", "-c", str(config)], doc=__doc__)
    options.first, options.test = True, False
    try:
        EagerSupervisor(options).main()
    except asyncore.ExitNow:
        pass
    finally:
        options.close_httpservers()
        options.close_logger()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
