"""Ticks as JSON: the one form they have in Redis, on the stream and in the API."""

from __future__ import annotations

import msgspec

from runtime.game.ticks import Tick

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Tick)


def encode_tick(tick: Tick) -> bytes:
    """Encode a tick; floats keep every digit, so that a rate can be recomputed from it."""
    return _encoder.encode(tick)


def decode_tick(data: bytes) -> Tick:
    """Decode a tick; raise msgspec.ValidationError for anything else."""
    return _decoder.decode(data)
