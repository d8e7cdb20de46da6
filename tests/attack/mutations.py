"""Mutations of requests: of bytes, characters, fields, shapes and encodings, drawn from a seeded generator."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

Fields = dict[str, Any]

ODD_TEXTS = (
    "", " ", "\n", "\r\n", "\x00", "\ud800", "\udfff", "\u2028", "\u200b", "\ufeff", "\uff11", "\u0661", "e\u0301",
    "\U0001f600", "%0a", "\\n", "0x", "null", "' OR 1=1 --", "../", "\t", "\x7f", "\x85", "+", "-", ".", "_", "A", "0",
)  # fmt: skip
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 99, 10_001, 2**31, 2**53, 2**63, 2**64, -(2**63) - 1, 10**30, 10**400, 1.0, 1.5, -0.0,
    1e308, "", "0", "100", "1e2", [], [1], {}, {"a": 1}, [[]], "\ud800", "\x00", "x" * 5_000,
)  # fmt: skip
RAW_NUMBERS = ("1e400", "-1e400", "NaN", "Infinity", "0x64", "0100", "+1", "1_0", ".5", "1.", "1e", "9" * 400, "١")


def _mutated_text(random: Random, text: str) -> str:
    letters = list(text)
    for _ in range(random.randint(1, 3)):
        place = random.randrange(len(letters) + 1)
        new = random.choice((random.choice(ODD_TEXTS), random.choice(text or "0"), chr(random.randrange(0x20, 0x7F))))
        letters[place : place + random.randrange(3)] = new
    return "".join(letters)


def _mutated_number(random: Random, number: int) -> Any:
    return random.choice(
        (number + random.choice((-1, 1, 60, -60, 1000)), -number, number * 10, float(number), str(number))
    )


def _change_value(random: Random, body: Fields) -> bytes:
    name = random.choice(list(body))
    old = body[name]
    if random.random() < 0.25:
        new = random.choice(ODD_VALUES)
    elif isinstance(old, str):
        new = _mutated_text(random, old)
    else:
        new = _mutated_number(random, old)
    return encoded(body | {name: new})


def _change_fields(random: Random, body: Fields) -> bytes:
    name = random.choice(list(body))
    rest = {key: value for key, value in body.items() if key != name}
    other = random.choice(list(body))
    return encoded(
        random.choice(
            (
                rest,
                rest | {name.upper(): body[name]},
                rest | {name + random.choice(ODD_TEXTS): body[name]},
                body | {random.choice(("wallet", "user_id", "__proto__", "bet_id", "\ud800")): 1},
                body | {name: body[other]},
                rest | {name: {name: body[name]}},
                rest | {name: [body[name]]},
            )
        )
    )


def _change_bytes(random: Random, body: Fields) -> bytes:
    data = bytearray(encoded(body))
    for _ in range(random.randint(1, 4)):
        place = random.randrange(len(data))
        if random.random() < 0.5:
            data[place] ^= 1 << random.randrange(8)
        else:
            data[place : place + random.randrange(4)] = random.randbytes(random.randrange(4))
    return bytes(data)


def _change_shape(random: Random, body: Fields) -> bytes:
    data = encoded(body)
    name = random.choice(list(body))
    twice = data[:-1] + b", " + encoded({name: random.choice(ODD_VALUES)})[1:]
    cut = data[: random.randrange(len(data))]
    deep = b"[" * random.choice((2, 100, 5_000))
    raw = data.replace(encoded(body[name]), random.choice(RAW_NUMBERS).encode(), 1)
    return random.choice(
        (b"[" + data + b"]", data + data, data + b"\x00", encoded(data.decode()), twice, cut, deep, raw)
    )


def _change_encoding(random: Random, body: Fields) -> bytes:
    text = encoded(body).decode()
    encoding = random.choice(("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "utf-7", "cp037", "latin-1"))
    return (text + random.choice(("", "é"))).encode(encoding)


KINDS: tuple[Callable[[Random, Fields], bytes], ...] = (
    _change_value,
    _change_value,
    _change_value,
    _change_bytes,
    _change_fields,
    _change_shape,
    _change_encoding,
)


def encoded(value: Any) -> bytes:
    """Write JSON in ASCII; a lone surrogate stays one, as an escape."""
    return json.dumps(value).encode()


def mutated(random: Random, body: Mapping[str, Any]) -> bytes:
    """Return a body with something changed; by chance it may still say the same."""
    return random.choice(KINDS)(random, dict(body))


def mutated_message(random: Random, text: str) -> str:
    """Return a login's text with characters or whole lines changed; it may be signed anew or not."""
    lines = text.split("\n")
    place = random.randrange(len(lines))
    kind = random.randrange(5)
    if kind == 0:
        lines[place : place + 1] = []
    elif kind == 1:
        lines.insert(place, random.choice(lines))
    elif kind == 2:
        other = random.randrange(len(lines))
        lines[place], lines[other] = lines[other], lines[place]
    elif kind == 3:
        lines[place] = _mutated_text(random, lines[place])
    else:
        return _mutated_text(random, text)
    return "\n".join(lines)
