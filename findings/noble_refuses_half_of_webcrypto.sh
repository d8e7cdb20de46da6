#!/bin/sh
# Half of the P-256 signatures that WebCrypto makes have an s in the high half: FIPS 186 and RFC 6979 ask for no low s, and
# browsers and Node do not make it low. @noble/curves 2.4.0 (npm) refuses all of these by default, also on P-256, where
# 1.9.7 took them: a server that verifies its users' WebCrypto signatures with it refuses every second one, by chance.
# cryptography 50.0.2 (PyPI) takes both halves. So two much-used libraries differ on half of all good signatures.
# Whoever wants one form must make s low where it is signed, and check it in words where it is verified.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet cryptography==50.0.2
npm init -y >/dev/null
npm install --silent --no-fund --no-audit noble1@npm:@noble/curves@1.9.7 noble2@npm:@noble/curves@2.4.0

cat >sign.mjs <<'END'
import { writeFileSync } from 'node:fs'
import { p256 as one } from 'noble1/nist.js'
import { p256 as two } from 'noble2/nist.js'
const { subtle } = globalThis.crypto
const { createHash } = await import('node:crypto')
const key = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify'])
const point = new Uint8Array(await subtle.exportKey('raw', key.publicKey))
const hex = (bytes) => Buffer.from(bytes).toString('hex')
const half = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n / 2n
const signed = []
for (let number = 0; number < 256; number++) {
  const text = new TextEncoder().encode(`text ${number}`)
  const hash = createHash('sha256').update(text).digest()
  const signature = new Uint8Array(await subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key.privateKey, text))
  const high = BigInt('0x' + hex(signature.subarray(32))) > half
  signed.push({ text: hex(text), signature: hex(signature), high, point: hex(point),
    '@noble/curves 1.9.7': one.verify(signature, hash, point),
    '@noble/curves 2.4.0': two.verify(signature, text, point),
    '@noble/curves 2.4.0 with lowS: false': two.verify(signature, text, point, { lowS: false }) })
}
writeFileSync('signed.json', JSON.stringify(signed))
END
cat >read.py <<'END'
import json
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
NAME = "cryptography 50.0.2"
signed = json.load(open("signed.json"))
for one in signed:
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes.fromhex(one["point"]))
    r, s = int(one["signature"][:64], 16), int(one["signature"][64:], 16)
    try:
        key.verify(utils.encode_dss_signature(r, s), bytes.fromhex(one["text"]), ec.ECDSA(SHA256()))
        one[NAME] = True
    except InvalidSignature:
        one[NAME] = False
share = sum(one["high"] for one in signed) / len(signed)
print("WebCrypto makes a high s", "about half of the time" if 0.3 < share < 0.7 else f"in {share:.0%}")
for name in [name for name in signed[0] if " " in name]:
    for half, high in (("low", False), ("high", True)):
        taken = {one[name] for one in signed if one["high"] is high}
        print(f"{name} takes {'all' if taken == {True} else 'none' if taken == {False} else 'some'} with a {half} s")
END
cat >expected <<'END'
WebCrypto makes a high s about half of the time
@noble/curves 1.9.7 takes all with a low s
@noble/curves 1.9.7 takes all with a high s
@noble/curves 2.4.0 takes all with a low s
@noble/curves 2.4.0 takes none with a high s
@noble/curves 2.4.0 with lowS: false takes all with a low s
@noble/curves 2.4.0 with lowS: false takes all with a high s
cryptography 50.0.2 takes all with a low s
cryptography 50.0.2 takes all with a high s
END
node sign.mjs
venv/bin/python read.py >seen
cat seen
diff expected seen && echo "as described" || { echo "this has changed" && exit 1; }
