"""The containers hold the same system as the native run: every process, the same Redis, limits that fit each other."""

from __future__ import annotations

import importlib
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from runtime.error_codes import CODES, plain_code
from runtime.settings_table import TABLE
from runtime.stream.sse import HEARTBEAT_MS
from runtime.web.incoming import BODY_BYTES_MAX
from taptrade import gunicorn_settings
from taptrade.alive import PROBES
from taptrade.embedded_redis import COMMON_CONFIG
from taptrade.processes import PROCESSES
from taptrade.serve import STANDING_BY
from tests.docs.shell import blocks

ROOT = Path(__file__).resolve().parents[1]
COMPOSE: dict[str, Any] = importlib.import_module("yaml").safe_load((ROOT / "compose.yaml").read_text("utf-8"))
ALL: dict[str, dict[str, Any]] = COMPOSE["services"]
SERVICES = {name: service for name, service in ALL.items() if not name.endswith("-next")}
SERVICE_OF = {process.name: process.name for process in PROCESSES} | {"dashboard": "rq-dashboard"}
OF_SHARDS = {"writer-of-2": "writer-2"}
"""Services of the second shard's processes, which few houses have."""
PROFILES = {"prometheus": "observe", "grafana": "observe", "s3": "s3"} | dict.fromkeys(OF_SHARDS, "shards")
ON_THE_WAY = {"nginx", "api", "redis", "writer", "settler", "feed", *OF_SHARDS}
"""What a tap goes through, from the price to the payout."""
OURS = [process for process in PROCESSES if process.name != "redis"]
LASTING = sorted(set(SERVICES) - {"migrate"})
EDGE_CONFIG = "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "nginx").glob("*.conf")))
MB = 1024**2
DEPLOYMENT = (ROOT / "docs" / "deployment.md").read_text("utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
# The image says where the data is; the ports are those of the machine, which containers need not know.
NOT_FROM_THE_SHELL = {"TAPTRADE_DATA", "TAPTRADE_PORT", "TAPTRADE_HOST"}
# What a few processes alone need to know: their services.
OF_FEW = {
    "TAPTRADE_PROCESSOR_SECRET": "api",
    "TAPTRADE_OPERATORS": "api",
    "TAPTRADE_DASHBOARD_HOST": "rq-dashboard",
    "TAPTRADE_DASHBOARD_DOMAIN": "api rq-dashboard",
    "TAPTRADE_DASHBOARD_PORT": "api rq-dashboard",
    "TAPTRADE_DASHBOARD_KEY": "rq-dashboard",
    "TAPTRADE_DASHBOARD_WRITES": "rq-dashboard",
}


def bytes_of(text: str) -> int:
    """Read `512m`, `2g` or `512mb`."""
    return int(text.rstrip("mgb")) * (1024 * MB if text.endswith("g") else MB)


def seconds(text: str) -> int:
    """Read `15s` or `5m`."""
    return int(text[:-1]) * {"s": 1, "m": 60}[text[-1]]


def directive(name: str) -> list[str]:
    """Return the values that nginx's configuration gives to a directive, in order."""
    return re.findall(rf"^\s*{name} ([^;{{]+);", EDGE_CONFIG, re.MULTILINE)


def test_volumes_are_called_alike_whatever_the_folder_is_called() -> None:
    assert COMPOSE["name"] == "taptrade"
    runbook = (ROOT / "docs" / "runbooks" / "lost-worker.md").read_text("utf-8")
    assert "volume=taptrade_data`" in runbook
    assert "data" in COMPOSE["volumes"]


def test_every_process_is_a_service_and_nothing_else_is() -> None:
    assert set(SERVICES) == {*SERVICE_OF.values(), "nginx", "migrate", *PROFILES}
    assert {name: one["profiles"] for name, one in SERVICES.items() if "profiles" in one} == {
        name: [profile] for name, profile in PROFILES.items()
    }
    assert {name for name in SERVICES if "build" in SERVICES[name]} == {"nginx", "migrate", "redis", "s3"}
    for process in OURS:
        service = SERVICES[SERVICE_OF[process.name]]
        stands_by = ["--stand-by"] if process.name in STANDING_BY else []
        assert service["image"] == SERVICES["migrate"]["image"]
        assert service["command"] == ["serve", process.name, *stands_by]
        assert service["healthcheck"]["test"] == ["CMD", "taptrade", "alive", process.name]
        assert process.name in PROBES


@pytest.mark.parametrize(("service", "process"), OF_SHARDS.items())
def test_a_writer_of_another_shard_is_a_service_as_the_first_is(service: str, process: str) -> None:
    differs = {"command": ["serve", process, "--stand-by"], "profiles": ["shards"]}
    asked = SERVICES["writer"]["healthcheck"] | {"test": ["CMD", "taptrade", "alive", process]}
    assert SERVICES[service] == SERVICES["writer"] | differs | {"healthcheck": asked}
    assert ALL[f"{service}-next"] == SERVICES[service] | {"profiles": ["next"], "restart": "no"}


@pytest.mark.parametrize("name", LASTING)
def test_a_service_is_checked_and_restarted(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"]
    assert service["restart"] == "unless-stopped"
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_confined_and_bounded(name: str) -> None:
    service = SERVICES[name]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"], "a killed process must end its container, and SIGTERM must reach it"
    assert service["image"] == "taptrade" or re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])
    assert not {"privileged", "cap_add", "network_mode", "pid"} & set(service)
    # In words that every Compose reads: those under `deploy` are for swarms before version 2.
    assert "deploy" not in service
    assert bytes_of(service["mem_limit"]) >= 512 * MB
    assert service["pids_limit"] == 256
    assert service.get("cpus") == (None if name in ON_THE_WAY else 1)


def test_redis_may_snapshot_while_it_is_full() -> None:
    words = SERVICES["redis"]["command"]
    assert bytes_of(SERVICES["redis"]["mem_limit"]) > 2 * bytes_of(words[words.index("--maxmemory") + 1])


def test_the_buckets_are_where_the_deployment_says() -> None:
    """What is to be set for the profile `s3` names a bucket that the image has, by an address that `jobs` reaches."""
    said = next(block for block in blocks(DEPLOYMENT, "ini") if "TAPTRADE_ARCHIVE_URL" in block)
    given = dict(line.split("=", 1) for line in said.splitlines())
    s3, jobs = SERVICES["s3"], SERVICES["jobs"]
    assert given["COMPOSE_PROFILES"] == "s3"
    assert given["TAPTRADE_ARCHIVE_ENDPOINT"] == f"http://s3{s3['environment']['VGW_PORT']}"
    assert set(s3["networks"]) <= set(jobs["networks"])
    [folder] = [volume.split(":")[1] for volume in s3["volumes"]]
    assert s3["command"] == ["posix", folder]
    bucket = given["TAPTRADE_ARCHIVE_URL"].removeprefix("s3://")
    uid, gid = s3["user"].split(":")
    assert f"RUN install -d -o {uid} -g {gid} -m 0700 {folder} {folder}/{bucket}\n" in DOCKERFILE
    assert "VGW_HEALTH" in s3["environment"]
    assert set(given) - {"COMPOSE_PROFILES"} <= set(jobs["environment"])
    credentials = [re.findall(r"\$\{(\w+)", str(value)) for value in s3["environment"].values()]
    assert {name for names in credentials for name in names} <= set(jobs["environment"])


@pytest.mark.parametrize("process", PROCESSES, ids=[process.name for process in PROCESSES])
def test_stopping_waits_longer_than_a_process_takes(process: Any) -> None:
    assert seconds(SERVICES[SERVICE_OF[process.name]]["stop_grace_period"]) >= process.stop_s


def test_starts_after_redis_and_the_schema_and_stops_in_the_order_of_the_supervisor() -> None:
    for process in OURS:
        needs = SERVICES[SERVICE_OF[process.name]]["depends_on"]
        assert needs["redis"] == {"condition": "service_healthy"}
        assert needs["migrate"] == {"condition": "service_completed_successfully"}
        later = {SERVICE_OF[other.name] for other in PROCESSES if other.priority > process.priority}
        assert not later & set(needs)
    assert "writer" in SERVICES["feed"]["depends_on"]
    assert {"writer", "settler", "jobs", "scheduler", "feed"} <= set(SERVICES["api"]["depends_on"])
    assert SERVICES["nginx"]["depends_on"] == {"api": {"condition": "service_healthy"}}
    assert SERVICES["migrate"]["restart"] == "no"


def test_redis_is_set_as_the_embedded_one() -> None:
    words = SERVICES["redis"]["command"]
    given = {words[at].removeprefix("--"): shlex.split(words[at + 1]) for at in range(1, len(words), 2)}
    embedded = {name: shlex.split(rest) for name, _, rest in (x.partition(" ") for x in COMMON_CONFIG.splitlines())}

    assert given.pop("dir") == ["/data"]
    # The network shuts strangers out here; the socket's permissions do it there.
    assert (given.pop("protected-mode"), embedded.pop("protected-mode")) == (["no"], ["yes"])
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert SERVICES["redis"]["networks"] == ["inside"]
    # How it runs in the foreground and logs is the defaults' affair.
    assert given == {
        name: value for name, value in embedded.items() if name not in {"daemonize", "logfile", "loglevel"}
    }


def test_every_setting_reaches_the_containers() -> None:
    known = {row.variable for row in TABLE}
    given = SERVICES["writer"]["environment"]

    assert set(given) == known - NOT_FROM_THE_SHELL - set(OF_FEW), "name the setting in compose.yaml too"
    assert {name for name, value in given.items() if value is not None} == {
        "TAPTRADE_REDIS_URL",
        "TAPTRADE_DOMAIN",
        "TAPTRADE_TRUSTED_PROXIES",
    }
    for process in OURS:
        assert given.items() <= SERVICES[SERVICE_OF[process.name]]["environment"].items()
    assert SERVICES["migrate"]["environment"] == given
    for name, owners in OF_FEW.items():
        assert [service for service in SERVICES if name in SERVICES[service].get("environment", {})] == owners.split()
    assert "TAPTRADE_DATA=/data" in DOCKERFILE
    assert SERVICES["writer"]["volumes"] == ["data:/data"]


def test_the_api_believes_nginx_and_nobody_else() -> None:
    address = SERVICES["nginx"]["networks"]["edge"]["ipv4_address"]
    assert SERVICES["writer"]["environment"]["TAPTRADE_TRUSTED_PROXIES"] == f"{address}/32"
    assert [name for name in SERVICES if "edge" in SERVICES[name]["networks"]] == ["nginx", "api"]


def test_ports_and_the_signed_domain_fit() -> None:
    defaults = {row.field: row.default for row in TABLE}
    assert SERVICES["nginx"]["ports"] == [f"127.0.0.1:${{TAPTRADE_PORT:-{defaults['port']}}}:8080"]
    assert directive("listen") == ["8080 backlog=4096"]
    assert "/dev/tcp/127.0.0.1/8080 " in SERVICES["nginx"]["healthcheck"]["test"][-1]
    assert {server.split()[0] for server in directive("server")} == {f"api:{defaults['port']}"}
    assert SERVICES["writer"]["environment"]["TAPTRADE_DOMAIN"] == f"${{TAPTRADE_DOMAIN:-127.0.0.1:{defaults['port']}}}"
    dashboard = defaults["dashboard_port"]
    assert (
        SERVICES["rq-dashboard"]["environment"]["TAPTRADE_DASHBOARD_HOST"]
        == SERVICES["api"]["environment"]["TAPTRADE_HOST"]
    )
    # The dashboard listens on the port that is published, so that its own address follows from that port.
    port = f"${{TAPTRADE_DASHBOARD_PORT:-{dashboard}}}"
    assert SERVICES["rq-dashboard"]["ports"] == [f"127.0.0.1:{port}:{port}"]
    for name in ("rq-dashboard", "api"):
        given = SERVICES[name]["environment"]
        assert (given["TAPTRADE_DASHBOARD_PORT"], given["TAPTRADE_DASHBOARD_DOMAIN"]) == (port, None)


def test_no_variable_stands_in_another() -> None:
    """Compose before version 2 takes a variable within a variable's default for text."""
    assert re.findall(r"\$\{[^}]*\$", (ROOT / "compose.yaml").read_text("utf-8")) == []


def test_nginx_closes_kept_connections_before_gunicorn_and_never_repeats_a_post() -> None:
    [kept] = re.findall(r"upstream taptrade \{[^}]*\bkeepalive_timeout (\d+s);", EDGE_CONFIG)
    assert seconds(kept) <= gunicorn_settings.keepalive - 10
    # By a time-out it leaves a connection that was never made; what was sent is too old to be sent again by then.
    assert directive("proxy_next_upstream") == ["error timeout"]
    [repeated] = directive("proxy_next_upstream_timeout")
    assert seconds(repeated) < min(seconds(value) for value in directive("proxy_read_timeout"))
    assert "non_idempotent" not in EDGE_CONFIG


def test_nginx_waits_longer_than_the_api() -> None:
    [fill_delay] = [row for row in TABLE if row.field == "fill_delay_ms"]
    assert fill_delay.parse("10000") == 10_000
    with pytest.raises(ValueError, match="10000"):
        fill_delay.parse("10001")
    answer, stream = (seconds(value) for value in directive("proxy_read_timeout"))
    assert answer >= 10 + 2 + 5
    assert stream * 1000 >= 4 * HEARTBEAT_MS


def test_nginx_takes_bodies_as_large_as_the_api_and_keeps_them_in_memory() -> None:
    assert directive("client_max_body_size") == [f"{BODY_BYTES_MAX // 1024}k"]
    [buffer] = directive("client_body_buffer_size")
    assert int(buffer.removesuffix("k")) > BODY_BYTES_MAX // 1024


def test_nginx_speaks_the_apis_codes() -> None:
    [table] = re.findall(r"map \$status \$problem_code \{([^}]*)\}", EDGE_CONFIG)
    codes = dict(line.split() for line in table.replace(";", "").strip().splitlines())
    assert codes.pop("default") == "INVALID_REQUEST"
    assert set(codes.values()) <= set(CODES)
    # By itself nginx says 503 only where it has no place for another bet.
    assert directive("limit_conn_status") == ["429"]
    for status, code in codes.items():
        assert code == {"502": "UNAVAILABLE", "503": "OVERLOADED", "504": "UNAVAILABLE"}.get(
            status, plain_code(int(status))
        ), "the first code of a status is what nginx says too; a new one stands behind it in runtime/error_codes.py"
    answered = {word.strip("=") for line in directive("error_page") for word in line.split()}
    assert set(codes) <= answered


def test_the_image_is_installed_from_the_lock_and_runs_as_nobody_special() -> None:
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) == [
        "nginx:1-bookworm",
        "redis:7-bookworm",
        "python:3.11-slim-bookworm",
        "python:3.11-slim-bookworm",
        "python:3.11-slim-bookworm",
        "versity/versitygw:v1.7.0",
    ]
    assert "--require-hashes -r requirements.lock" in DOCKERFILE
    assert re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE) == ["taptrade", "postgres"]
    for name in ("nginx", "redis", "migrate", "s3"):
        assert SERVICES[name]["build"]["network"] == "host"
        assert f" AS {SERVICES[name]['build']['target']}\n" in DOCKERFILE
    assert SERVICES["migrate"]["build"]["args"] == {"BUILD": "${BUILD:-0}", "SHA": "${SHA:-unknown}"}


def test_the_build_sees_what_it_copies_and_no_more() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    allowed = {line[1:] for line in lines if line.startswith("!")}
    copied = {
        source.split("/")[0]
        for words in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
        for source in words.split()
    }
    assert "*" in lines
    assert copied == allowed
    assert all((ROOT / name).exists() for name in copied)
