#!/bin/sh
# psycopg 3.3.9: `register_composite` makes a text and a binary loader class for the type and keeps both in a cache, so that
# they do not pile up, as its source says. The cache goes by the CompositeInfo. That has a hash of what it describes, but
# no equality of its own, so two descriptions of one type are two entries. Whoever does as the documentation shows, fetch
# and register on each new connection, gets two more classes with each connection, and none is ever let go of: here 400
# for 200 connections' worth of descriptions. A process whose connections come and go grows without end. Registering one
# description again, kept from the first fetch, adds none. No server is needed to see it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet 'psycopg[binary]==3.3.9'
cat >registered.py <<'END'
import gc

from psycopg import adapters
from psycopg.adapt import AdaptersMap, Loader
from psycopg.types.composite import CompositeInfo, register_composite


class Connection:
    """What registering needs of one: adapters, and types."""

    def __init__(self):
        self.adapters = AdaptersMap(adapters)
        self.connection = None


def described():
    """Describe one and the same type, as each fetch does."""
    return CompositeInfo("pair", 99_001, 99_002, field_names=["a", "b"], field_types=[25, 25])


def kept():
    gc.collect()
    return sum(one.__name__ in ("PairLoader", "PairBinaryLoader") for one in every(Loader))


def every(kind):
    for one in kind.__subclasses__():
        yield one
        yield from every(one)


one = described()
for _ in range(200):
    register_composite(one, Connection(), tuple)
again = kept()
for _ in range(200):
    register_composite(described(), Connection(), tuple)
print(f"equal hashes: {hash(described()) == hash(described())}, equal: {described() == described()}")
print(f"classes kept after 200 connections: {again} with one description, {kept() - again} more with one each")
assert again <= 2 and kept() - again >= 400
END
venv/bin/python registered.py
