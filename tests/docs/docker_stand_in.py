"""Stand in for `docker compose` behind the runbooks' words: refuse what it would refuse, do the rest on this machine.

What is meant to run in a container of ours finds the house's data folder where the container has `/data`. What only
Docker can do is printed.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).parents[2]
WITH_VALUE = {"-e", "--entrypoint", "--tail", "-s"}
WITHOUT = {"--rm", "--no-deps", "-T", "--no-log-prefix"}
OF_DOCKER = {"ps", "restart", "stop", "start", "kill", "logs", "down"}


def services() -> set[str]:
    """Return the services of compose.yaml."""
    yaml = importlib.import_module("yaml")
    return set(yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"])


def parse(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """Take the options off the front."""
    options: dict[str, str] = {}
    while words and words[0].startswith("-"):
        option, *words = words
        if option in WITH_VALUE:
            options[option], *words = words
        elif option in WITHOUT:
            options[option] = ""
        else:
            raise SystemExit(f"unknown flag: {option}")
    return options, words


def run(options: dict[str, str], service: str, words: list[str], data: Path) -> NoReturn:
    """Run a command in a service's stead."""
    folder = data / "redis" if service == "redis" else data
    url = (data / "run" / "redis.url").read_text(encoding="utf-8").strip() if "redis://redis:6379/0" in words else ""
    inside = [
        url if word == "redis://redis:6379/0" else f"{folder}{word[5:]}" if f"{word}/".startswith("/data/") else word
        for word in words
    ]
    name, _, value = options.get("-e", "NOBODY=").partition("=")
    path = f"{Path(sys.executable).parent}:{data / 'run'}:{os.environ['PATH']}"
    command = options.get("--entrypoint", "taptrade")
    os.execvpe(command, [command, *inside], {**os.environ, name: value, "PATH": path})  # noqa: S606


def main() -> None:
    """Do what `docker` is asked for."""
    compose, verb, *rest = sys.argv[1:]
    options, words = parse(rest)
    if compose != "compose" or verb not in {"run", *OF_DOCKER}:
        raise SystemExit(f"docker: unknown command: {compose} {verb}")
    if words and words[0] not in services():
        raise SystemExit(f"no such service: {words[0]}")
    if verb == "run":
        run(options, words[0], words[1:], Path(os.environ["TAPTRADE_DATA"]))
    sys.stdout.write(f"{' '.join(['docker compose', verb, *options, *words])}\n")


if __name__ == "__main__":
    main()
