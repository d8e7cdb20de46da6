#!/bin/sh
# What surprised us where a compressed SQLite file is read by ranges:
#
# 1. zstandard 0.25: `decompressobj()` ends with the first frame of several and says so only by `eof` and `unused_data`;
#    with `read_across_frames=True` it reads all of them, and passes over skippable ones, so a file in zstd's Seekable
#    Format needs no care. `eof` stays False then: a file that was cut off between two frames looks like a whole one.
# 2. apsw 3.54.1: the documentation of VFSFile says of some methods what happens where they are left out. An object that
#    xOpen returns must have xFileControl all the same: the connection is not opened otherwise.
# 3. apsw 3.54.1: what a VFS method raises comes out of `execute` as it was raised, not as an error of SQLite.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet apsw==3.54.1.0 zstandard==0.25.0
cat >look.py <<'END'
import io

import apsw
import zstandard

frames = b"".join(zstandard.ZstdCompressor().compress(word * 100) for word in (b"one", b"two"))
first = zstandard.ZstdDecompressor().decompressobj()
assert first.decompress(frames) == b"one" * 100 and first.eof and first.unused_data
both = zstandard.ZstdDecompressor().decompressobj(read_across_frames=True)
skipped = (0x184D2A50).to_bytes(4, "little") + (3).to_bytes(4, "little") + b"abc"
assert both.decompress(frames + skipped) == b"one" * 100 + b"two" * 100 and not both.eof


class Bare:
    def __init__(self, data: bytes) -> None:
        self.file = io.BytesIO(data)

    def xRead(self, amount, offset):
        if not self.file:
            raise LookupError("ours")
        self.file.seek(offset)
        return self.file.read(amount)

    def xFileSize(self):
        return len(DATA)

    def xClose(self): ...
    def xLock(self, level): ...
    def xUnlock(self, level): ...


class Full(Bare):
    def xFileControl(self, op, pointer):
        return False

    def xSectorSize(self):
        return 0

    def xDeviceCharacteristics(self):
        return 0


class System(apsw.VFS):
    def __init__(self, name, file):
        self.file = file
        super().__init__(name, base="")

    def xOpen(self, name, flags):
        return self.file


made = apsw.Connection(":memory:")
made.execute("CREATE TABLE t (x); INSERT INTO t VALUES (randomblob(100000)), (1)")
DATA = made.serialize("main")


def opened(name, file):
    system = System(name, file)
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    return system, apsw.Connection("file:x?immutable=1", flags=flags, vfs=name)


try:
    opened("bare", Bare(DATA))
    raise SystemExit("it opens without xFileControl")
except AttributeError as ex:
    print("without xFileControl:", ex)
file = Full(DATA)
system, connection = opened("full", file)
assert connection.execute("SELECT count(*) FROM t").fetchall() == [(2,)]
file.file = None
try:
    connection.execute("PRAGMA cache_size = 0; SELECT sum(length(x)) FROM t").fetchall()
    raise SystemExit("nothing was read")
except LookupError as ex:
    print("raised in xRead:", repr(ex))
END
venv/bin/python look.py
