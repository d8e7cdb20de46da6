#!/bin/sh
# A key that is kept ready as an AEAD of Python's cryptography (50.0.2 on PyPI, OpenSSL 4.0.3 in its wheel) takes 2 to 4
# KB, not its 32 bytes: the object has two whole contexts of OpenSSL from the start, one to seal and one to open, and
# each call copies one of them. AESSIV takes most, 3.8 KB, having CMAC's contexts too. AESCCM alone takes less than 600
# bytes: it makes its context in each call. So a cache of 16,384 users' keys holds 60 MB, and a seal that takes 1.5 us
# in a loop over one key takes several times that where each is another user's, whose contexts lie in no cache of the
# CPU. A benchmark with one key shows neither, and none of it follows from the length of the key.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet cryptography==50.0.2
cat >weigh.py <<'END'
import gc, os, pathlib, sys
from cryptography.hazmat.primitives.ciphers import aead

def resident():
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

kind = getattr(aead, sys.argv[1])
keys = [os.urandom(32) for _ in range(20_000)]
kind(keys[0])
gc.collect()
before = resident()
made = [kind(key) for key in keys]
each = (resident() - before) / len(made)
sizes = [(600, "less than 600"), (1_500, "600 to 1,500"), (3_200, "1,500 to 3,200"), (10**9, "more than 3,200")]
print(f"{sys.argv[1]}: {next(said for most, said in sizes if each < most)} bytes a key")
END
# Each in a process of its own, where no memory that another kind gave back is taken again.
for kind in AESCCM AESGCM ChaCha20Poly1305 AESGCMSIV AESOCB3 AESSIV; do
    venv/bin/python weigh.py $kind
done | tee said
test "$(grep -c ': 1,500 to 3,200 bytes a key' said)" = 4
grep -qx 'AESCCM: less than 600 bytes a key' said
grep -qx 'AESSIV: more than 3,200 bytes a key' said
