"""Logins that viem 2.57 (npm) wrote and signed with the key of 32 bytes 0x11, kept as it made them.

`createSiweMessage`, `generateSiweNonce` and `account.signMessage`, chain 1, issued at logins.NOW_MS; viem's signature
begins with `0x` and ends with 1b or 1c.
"""

from __future__ import annotations

from typing import NamedTuple


class ForeignLogin(NamedTuple):
    """A message and its signature."""

    message: str
    signature: str


LOCALHOST = ForeignLogin(
    "localhost:8000 wants you to sign in with your Ethereum account:\n"
    "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A\n\n\n"
    "URI: http://localhost:8000\n"
    "Version: 1\n"
    "Chain ID: 1\n"
    "Nonce: d616e52c9cc30bcc5d8fa5e62902a56e1229a320b1deaa6b312ef3d67fc0e3ca053d63e6afd8a6d305b855ad84c89e37\n"
    "Issued At: 2026-09-21T14:13:20.000Z",
    "0xe2132b55a956baace7d5864da2de763b3dfb8bb55b2e962f4aed952bd5f135af"
    "0e951ceb23abb57f7a3c3d6ba6f92740431e5afb4923eb2c1c11ac301b9113d81c",
)
LOOPBACK_WITH_KEY = ForeignLogin(
    "127.0.0.1:8000 wants you to sign in with your Ethereum account:\n"
    "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A\n\n"
    "Sign in to Tap Trading.\n\n"
    "URI: http://127.0.0.1:8000\n"
    "Version: 1\n"
    "Chain ID: 1\n"
    "Nonce: 616e52c9cc30bcc5d8fa5e62902a56e1229a320b1deaa6b312ef3d67fc0e3ca053d63e6afd8a6d305b855ad84c89e376\n"
    "Issued At: 2026-09-21T14:13:20.000Z\n"
    "Resources:\n"
    "- urn:taptrade:session-key:0x1563915e194D8CfBA1943570603F7606A3115508",
    "0xa2a8cf619f34431f14de95c25fbdd1f6832cde26d0365e0fcc0549ae522dfb70"
    "55e6421cbfb9e857b52398a79a0c2a2566daff3954d3a6c8d110779bd933dc611b",
)
