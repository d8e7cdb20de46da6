#!/bin/sh
# Peewee 4.5.3 imports every database driver that is installed, whichever of its databases a program uses. Beside psycopg
# 3.3.9 with its binary package, a program that only opens SQLite holds half of it in memory: more than 10 MB a process, which
# counts where a house has ten. A driver that cannot be imported is passed over, so a None in sys.modules while Peewee is
# imported keeps it out, and psycopg can be imported afterwards.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet peewee==4.5.3 "psycopg[binary]==3.3.9"
cat >memory.py <<'CODE'
import sys

if sys.argv[1] == "kept out":
    sys.modules["psycopg"] = None
import peewee

if sys.argv[1] == "kept out":
    del sys.modules["psycopg"]
peewee.SqliteDatabase(":memory:").connect()
loaded = "psycopg.pq" in sys.modules
with open("/proc/self/smaps_rollup") as file:
    kb = next(int(line.split()[1]) for line in file if line.startswith("Private_Dirty"))
print(sys.argv[1], loaded, kb)
CODE
venv/bin/python memory.py "as it is" >seen
venv/bin/python memory.py "kept out" >>seen
cat seen
awk '{ kb[NR] = $NF; loaded[NR] = $(NF - 1) }
  END { exit !(loaded[1] == "True" && loaded[2] == "False" && kb[1] - kb[2] > 10000) }' seen
echo "psycopg is loaded by a program on SQLite, and takes more than 10 MB"
