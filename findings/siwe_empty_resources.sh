#!/bin/sh
# A Sign-In with Ethereum message may end in an empty list of resources: EIP-4361 allows the line `Resources:` with
# nothing after it. viem 2.57.20 and siwe 3.0.0 (npm) write that line when they are given `resources: []`, and read it.
# siwe 4.4.0 (PyPI) reads it too, but writes the message back without it. What it then checks is another text than the
# wallet signed, so a login that both JavaScript libraries made and the standard allows is refused as a wrong signature.
# A server must check the signature over the text as it came, not over the text written anew.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet siwe==4.4.0 abnf==2.7.0
npm install --silent --no-fund --no-audit viem@2.57.20 siwe@3.0.0 ethers@6.17.0 >/dev/null

cat >write.mjs <<'END'
import { writeFileSync } from 'node:fs'
import { SiweMessage } from 'siwe'
import { createSiweMessage } from 'viem/siwe'
import { privateKeyToAccount } from 'viem/accounts'
// The key is the number one: nobody's.
const account = privateKeyToAccount('0x' + '1'.padStart(64, '0'))
const common = { address: account.address, chainId: 1, domain: 'game.example', nonce: 'abcdefgh1234', version: '1',
  uri: 'https://game.example' }
const texts = { viem: createSiweMessage({ ...common, issuedAt: new Date(0), resources: [] }),
  siwe: new SiweMessage({ ...common, issuedAt: '1970-01-01T00:00:00.000Z', resources: [] }).prepareMessage() }
const messages = {}
for (const [name, text] of Object.entries(texts)) {
  const signature = await account.signMessage({ message: text })
  const checked = await new SiweMessage(text).verify({ signature }, { suppressExceptions: true })
  console.log(`${name} (npm) ends the message in ${JSON.stringify(text.split('\n').at(-1))}; ` +
    `siwe (npm) verifies: ${checked.success}`)
  messages[name] = { text, signature }
}
writeFileSync('messages.json', JSON.stringify(messages))
END
cat >read.py <<'END'
import json
from siwe import SiweMessage, VerificationError
for name, signed in json.load(open("messages.json")).items():
    message = SiweMessage.from_message(signed["text"])
    try:
        message.verify(signed["signature"])
        verified = "verifies"
    except VerificationError as ex:
        verified = f"raises {type(ex).__name__}"
    last = message.prepare_message().split("\n")[-1]
    print(f"siwe (PyPI) writes {name}'s message back with the last line {last!r}, and {verified}")
END
cat >expected <<'END'
viem (npm) ends the message in "Resources:"; siwe (npm) verifies: true
siwe (npm) ends the message in "Resources:"; siwe (npm) verifies: true
siwe (PyPI) writes viem's message back with the last line 'Issued At: 1970-01-01T00:00:00.000Z', and raises InvalidSignature
siwe (PyPI) writes siwe's message back with the last line 'Issued At: 1970-01-01T00:00:00.000Z', and raises InvalidSignature
END
node write.mjs >seen
venv/bin/python -W ignore read.py >>seen
cat seen
diff expected seen && echo "as described" || { echo "this has changed" && exit 1; }
