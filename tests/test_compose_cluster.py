"""The cluster, laid over compose.yaml: a second machine like the first, and one ledger on databases of its own."""

from __future__ import annotations

import importlib
import re
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest

from runtime.sentinel_url import read_sentinel_url
from tests.test_compose import ALL, COMPOSE, DOCKERFILE, OF_SHARDS, OURS, ROOT, SERVICE_OF, SERVICES, bytes_of, seconds

yaml = importlib.import_module("yaml")
TEXT = (ROOT / "compose.cluster.yaml").read_text("utf-8")
OVER: dict[str, Any] = yaml.safe_load(TEXT)
LAID: dict[str, dict[str, Any]] = OVER["services"]
RULES: dict[str, Any] = yaml.safe_load((ROOT / "cluster" / "patroni.yml").read_text("utf-8"))
MEMBERS = ("postgres-1", "postgres-2")
WITNESSES = ("etcd-1", "etcd-2", "etcd-3")
SECOND = {name: service for name, service in LAID.items() if "extends" in service}
OWN = [name for name in ALL if ALL[name]["image"] == "taptrade"]
EDGE = "10.93.17"
SHARED = {"TAPTRADE_DATABASE_URL", "TAPTRADE_REDIS_URL"}
REDIS = ("redis", "redis-2", "redis-3")
SENTINELS = ("sentinel-1", "sentinel-2", "sentinel-3")


def filled(text: str) -> str:
    """Put the default in place of each variable."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def whole(name: str) -> dict[str, Any]:
    """Return a service of the second machine with what it is made of."""
    base: dict[str, Any] = ALL[SECOND[name]["extends"]["service"]]
    given = SECOND[name]
    return base | given | {"environment": base["environment"] | given.get("environment", {})}


def addresses(name: str) -> dict[str, str]:
    networks = LAID[name]["networks"]
    return {network: filled(given["ipv4_address"]) for network, given in networks.items() if given}


def test_every_process_of_ours_writes_to_the_one_ledger() -> None:
    """Two writers on two ledgers would take each other's bets from the one Redis."""
    [url] = {service["environment"].get("TAPTRADE_DATABASE_URL") for name, service in LAID.items() if name in OWN}
    assert all(set(LAID[name]["environment"]) == SHARED for name in OWN)
    assert {whole(name)["environment"]["TAPTRADE_DATABASE_URL"] for name in SECOND} == {url}
    hosts = re.fullmatch(r"postgresql://house@([\d.]+),([\d.]+)/house\?target_session_attrs=read-write&.*", filled(url))
    assert hosts is not None
    assert list(hosts.groups()) == [addresses(member)["inside"] for member in MEMBERS]


def test_the_processes_of_a_machine_know_it_by_one_name_and_one_folder() -> None:
    assert {LAID[name]["hostname"] for name in OWN} == {"machine-1"}
    assert {service["hostname"] for service in SECOND.values()} == {"machine-2"}
    assert {tuple(service["volumes"]) for service in SECOND.values()} == {("data-2:/data",)}


def test_the_second_machine_runs_what_the_first_does() -> None:
    left_out = {"replica", "rq-dashboard"}
    here = {SERVICE_OF[process.name] for process in OURS} - left_out
    assert set(SECOND) == {f"{name}-2" for name in (*here, *OF_SHARDS, "migrate")} | {"api-3"}


@pytest.mark.parametrize("name", [name for name in SECOND if name != "migrate-2"])
def test_a_process_of_the_second_machine_is_confined_as_that_of_the_first(name: str) -> None:
    first, second = SERVICES[name[:-2]], whole(name)
    same = {"command", "init", "read_only", "tmpfs", "cap_drop", "security_opt", "pids_limit", "mem_limit", "logging"}
    same |= {"restart", "stop_grace_period", "healthcheck", "image"}
    assert {key: second.get(key) for key in same} == {key: first.get(key) for key in same}
    # 0 takes away what it was made of.
    assert (second["cpus"] or None) == first.get("cpus")
    assert set(second["networks"]) == set(first["networks"])
    assert {key for key, value in second["environment"].items() if value != first["environment"].get(key)} == SHARED
    assert set(second["environment"]) == set(first["environment"])
    needs = {need.removesuffix("-2") for need in second["depends_on"]}
    assert needs == {"redis", "migrate"}


def test_nginx_asks_the_three_apis_at_addresses_that_are_theirs() -> None:
    asked = filled(LAID["nginx"]["environment"]["EDGE_APIS"]).split(",")
    first = filled(SERVICES["api"]["networks"]["edge"]["ipv4_address"])
    theirs = [first, *(addresses(name)["edge"] for name in ("api-2", "api-3"))]
    assert asked == [f"{address}:8000" for address in theirs]
    taken = [filled(ALL[name]["networks"]["edge"]["ipv4_address"]) for name in ("nginx", "api", "api-next")]
    assert len({*taken, *theirs}) == 5
    assert "/edge/api ${EDGE_APIS:-api:8000} " in DOCKERFILE
    assert "/edge/watch ${EDGE_APIS:-api:8000} " in DOCKERFILE


@pytest.mark.parametrize("name", [*MEMBERS, *WITNESSES, *REDIS[1:], *SENTINELS])
def test_databases_and_witnesses_are_confined_and_bounded(name: str) -> None:
    service, common = LAID[name], SERVICES["redis"]
    for key in ("init", "restart", "read_only", "tmpfs", "cap_drop", "security_opt", "pids_limit", "logging"):
        assert service[key] == common[key]
    assert service["user"] == ("999:999" if name in (*REDIS, *SENTINELS) else "10003:10003")
    assert bytes_of(service["mem_limit"]) >= bytes_of("512m")
    assert service["healthcheck"]["test"]
    assert "ports" not in service
    assert "groupadd --gid 10003 postgres" in DOCKERFILE
    [folder] = [volume.split(":")[1] for volume in service["volumes"]]
    assert re.search(rf"install -d -o (postgres|999) -g \1 -m 0700 .*{folder}\b", DOCKERFILE)


def test_each_redis_is_set_as_the_one_alone_and_takes_nothing_without_a_replica() -> None:
    alone = SERVICES["redis"]["command"][1:]
    more = ["--min-replicas-to-write", "1", "--min-replicas-max-lag", "3"]
    first = addresses("redis")["inside"]
    for name in REDIS:
        program, primary, *words = map(filled, LAID[name]["command"])
        assert (program, primary) == ("/cluster/redis", "-" if name == "redis" else first)
        assert words == [*alone, *more]
        assert (LAID[name] | SERVICES["redis"])["mem_limit"] == SERVICES["redis"]["mem_limit"]


def test_every_process_asks_the_sentinels_and_they_watch_the_first_redis() -> None:
    [url] = {LAID[name]["environment"]["TAPTRADE_REDIS_URL"] for name in OWN}
    assert {whole(name)["environment"]["TAPTRADE_REDIS_URL"] for name in SECOND} == {url}
    read = read_sentinel_url(filled(url))
    assert read.hosts == tuple((addresses(name)["inside"], 26379) for name in SENTINELS)
    script = (ROOT / "cluster" / "sentinel").read_text("utf-8")
    assert f"sentinel monitor {read.service} $1 6379 2\n" in script
    assert {filled(LAID[name]["command"][1]) for name in SENTINELS} == {addresses("redis")["inside"]}
    assert "COPY cluster/redis cluster/sentinel /cluster/" in DOCKERFILE


def test_whoever_is_no_member_reaches_no_witness() -> None:
    assert OVER["networks"]["members"]["internal"] is True
    joined = {name for name, service in LAID.items() if "members" in service.get("networks", ())}
    assert joined == {*MEMBERS, *WITNESSES}
    for name in WITNESSES:
        assert list(LAID[name]["networks"]) == ["members"]
    net = LAID["postgres-1"]["environment"]["MEMBERS_NET"]
    assert filled(net) == filled(OVER["networks"]["members"]["ipam"]["config"][0]["subnet"])
    assert RULES["restapi"]["allowlist"] == ["MEMBERS", "127.0.0.1/32"]
    superusers = [line for line in RULES["postgresql"]["pg_hba"] if re.search(r" (all|replication) \S+ MEMBERS ", line)]
    others = [
        line for line in RULES["postgresql"]["pg_hba"] if not line.startswith("local ") and line not in superusers
    ]
    assert others == ["host house house all trust"]


def test_addresses_lie_in_their_networks_and_never_among_those_that_docker_gives_away() -> None:
    networks = {"edge": COMPOSE["networks"]["edge"], **OVER["networks"]}
    nets = {name: IPv4Network(filled(net["ipam"]["config"][0]["subnet"])) for name, net in networks.items()}
    assert all(not one.overlaps(other) for one in nets.values() for other in nets.values() if one is not other)
    assert all(net.subnet_of(IPv4Network(f"{EDGE}.0/24")) for net in nets.values())
    given_away = IPv4Network(filled(OVER["networks"]["inside"]["ipam"]["config"][0]["ip_range"]))
    assert given_away.subnet_of(nets["inside"])
    fixed = [
        (network, IPv4Address(at))
        for name in LAID
        if "networks" in LAID[name] and isinstance(LAID[name]["networks"], dict)
        for network, at in addresses(name).items()
    ]
    assert len(set(fixed)) == len(fixed)
    for network, at in fixed:
        assert at in nets[network]
        assert at not in given_away


def test_a_member_knows_itself_and_the_witnesses_each_other() -> None:
    clients = {name: f"{addresses(name)['members']}:2379" for name in WITNESSES}
    for member in MEMBERS:
        given = {key: filled(str(value)) for key, value in LAID[member]["environment"].items()}
        own = addresses(member)["members"]
        assert given["PATRONI_NAME"] == member
        assert given["PATRONI_ETCD3_HOSTS"].split(",") == list(clients.values())
        assert given["PATRONI_RESTAPI_CONNECT_ADDRESS"] == f"{own}:8008"
        assert given["PATRONI_POSTGRESQL_CONNECT_ADDRESS"] == f"{own}:5432"
    peers = ",".join(f"{name[-1]}=http://{addresses(name)['members']}:2380" for name in WITNESSES)
    for name in WITNESSES:
        given = {key: filled(str(value)) for key, value in LAID[name]["environment"].items()}
        assert given["ETCD_INITIAL_CLUSTER"] == peers
        assert f"{given['ETCD_NAME']}={given['ETCD_INITIAL_ADVERTISE_PEER_URLS']}" in peers
        assert given["ETCD_ADVERTISE_CLIENT_URLS"] == f"http://{clients[name]}"


def test_the_lease_of_the_primary_is_no_shorter_than_patroni_takes_it() -> None:
    rules = RULES["bootstrap"]["dcs"]
    assert rules["ttl"] >= max(20, rules["loop_wait"] + 2 * rules["retry_timeout"])
    assert rules["synchronous_mode"] is True
    assert seconds(LAID["postgres-1"]["stop_grace_period"]) >= 60
    assert "data-checksums" in RULES["bootstrap"]["initdb"]


def test_the_schema_waits_for_the_databases_and_the_second_machine_for_the_schema() -> None:
    assert set(LAID["migrate"]["depends_on"]) == {*MEMBERS, *REDIS, *SENTINELS}
    assert LAID["migrate-2"]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    for member in MEMBERS:
        assert set(LAID[member]["depends_on"]) == set(WITNESSES)


def test_it_is_read_by_every_compose() -> None:
    assert re.findall(r"\$\{[^}]*\$", TEXT) == []
    assert set(OVER["volumes"]) == {
        volume.split(":")[0] for service in LAID.values() for volume in service.get("volumes", ())
    }


def test_patroni_is_the_one_that_machines_were_broken_under() -> None:
    version = re.compile(r"^patroni==([\d.]+)", re.MULTILINE)
    here = (ROOT / "cluster" / "requirements.lock").read_text("utf-8")
    there = (ROOT / "tests" / "chaos" / "failover" / "requirements.txt").read_text("utf-8")
    assert version.findall(here) == version.findall(there) != []
