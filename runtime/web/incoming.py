"""What comes in: the request with its id and times, and its body and query as typed values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import falcon
import msgspec

from runtime.errors import InvalidRequest, Refusal
from runtime.rate_limits import LimitDecision
from runtime.web.declaration import Function, OpenQuery

BODY_BYTES_MAX = 65_536
JSON = "application/json"
FLOAT = "got `float`"
WHOLE_MAX = 2**53
"""A float tells all whole numbers below this apart."""

T = TypeVar("T", bound=msgspec.Struct)


class BodyTooLarge(Refusal):
    """The body is longer than 65,536 bytes."""

    default_code = "BODY_TOO_LARGE"


class UnsupportedMediaType(Refusal):
    """Send the body as JSON, with Content-Type: application/json."""

    default_code = "UNSUPPORTED_MEDIA_TYPE"


class Request(falcon.Request):
    """A Falcon request that knows its id, its times, its function and its limits.

    The values below stand for requests that end before they are known.
    """

    request_id: str = ""
    received_ms: int = 0
    started_ms: int = 0
    function: Function | None = None
    policy: str = ""
    limits: tuple[LimitDecision, ...] = ()
    accepted: bool = False
    raw_body: bytes = b""


def read_body(req: falcon.Request) -> bytes:
    """Read the whole body, at most 64 KB."""
    env = req.env
    length_text = env.get("CONTENT_LENGTH")
    if length_text:
        length = int(length_text) if length_text.isascii() and length_text.isdigit() else -1
        if length > BODY_BYTES_MAX:
            raise BodyTooLarge
        if length < 0:
            raise InvalidRequest("Content-Length is not a number.")
        data: bytes = env["wsgi.input"].read(length)
        if len(data) < length:
            raise InvalidRequest("The body ended before its Content-Length.")
        return data
    if "HTTP_TRANSFER_ENCODING" in env:
        data = env["wsgi.input"].read(BODY_BYTES_MAX + 1)
        if len(data) > BODY_BYTES_MAX:
            raise BodyTooLarge
        return data
    return b""


def decode_body(
    req: Request, decoder: msgspec.json.Decoder[Any], others: Sequence[tuple[bytes, msgspec.json.Decoder[Any]]] = ()
) -> Any:
    """Read the body as the decoder's type, or as that of another whose field is in it; refuse it by its wrong field."""
    media_type = req.content_type
    if media_type != JSON and (media_type is None or media_type.partition(";")[0].strip().lower() != JSON):
        raise UnsupportedMediaType
    data = req.raw_body = read_body(req)
    if not data:
        raise InvalidRequest("The body is empty; a JSON object is expected.", field="$")
    for name, other in others:
        if name in data:
            decoder = other
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as ex:
        if FLOAT not in str(ex):
            raise _refused_field(str(ex)) from ex
        return _with_whole_numbers(data, decoder.type)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as ex:
        raise InvalidRequest(f"The body is not JSON: {ex}.", field="$") from ex


def _with_whole_numbers(data: bytes, declared: type[T]) -> T:
    """Read a body once more in which a whole number may be written as 100.0 or 1e2: JSON has numbers, not integers."""
    try:
        return msgspec.convert(_whole(msgspec.json.decode(data)), declared)
    except msgspec.ValidationError as ex:
        raise _refused_field(str(ex)) from ex
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as ex:
        raise InvalidRequest(f"The body is not JSON: {ex}.", field="$") from ex


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < WHOLE_MAX:
        return int(value)
    if isinstance(value, list):
        return [_whole(one) for one in value]
    if isinstance(value, dict):
        return {name: _whole(one) for name, one in value.items()}
    return value


def refuse_body(req: falcon.Request, name: str) -> None:
    """Refuse a body where none is taken, so that nobody believes it was read."""
    if read_body(req):
        raise InvalidRequest(f"{name} takes no body.", field="$")


def decode_query(req: falcon.Request, declared: type[T]) -> T:
    """Read the query parameters as the declared type, each at most once unless that is open."""
    params: dict[str, Any] = {}
    for name, value in req.params.items():
        if isinstance(value, list) and not issubclass(declared, OpenQuery):
            raise InvalidRequest(f"The parameter `{name}` is given more than once.", field=name)
        params[name] = ",".join(value) if isinstance(value, list) else value
    try:
        return msgspec.convert(params, declared, strict=False)
    except msgspec.ValidationError as ex:
        raise _refused_field(str(ex).replace("Object", "The query")) from ex


def refuse_query(params: Mapping[str, Any]) -> None:
    """Refuse query parameters where none are taken."""
    name = next(iter(params))
    raise InvalidRequest(f"There is no parameter `{name}` here.", field=name)


def _refused_field(message: str) -> InvalidRequest:
    """Split msgspec's "Expected `int`, got `str` - at `$.amount`" into a sentence and the field's path."""
    sentence, _, where = message.partition(" - at ")
    path = where.strip("`").removeprefix("$").removeprefix(".")
    if " field `" in sentence:
        # "Object contains unknown field `x`" and "Object missing required field `x`" give the path around it.
        path = f"{path}.{sentence.rstrip('`').rpartition('`')[2]}".removeprefix(".")
    return InvalidRequest(f"{sentence}.", field=path or "$")
