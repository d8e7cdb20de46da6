"""Requests in every shape, well-formed and not: name, bytes on the wire, and what they must be answered with."""

from __future__ import annotations

from tests.runtime.server.rig import get, post

PROBE = get("/echo?probe", "Connection: close")
"""Sent behind a request it tells whether the connection goes on, and where the server thinks that the next begins."""

Shape = tuple[str, bytes, int]


def raw(*lines: str, body: bytes = b"") -> bytes:
    """Write a request line by line."""
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


PLAIN: list[Shape] = [
    ("get", get("/echo"), 200),
    ("query", get("/echo?a=1&b=%20&c"), 200),
    ("escaped path", get("/echo/%C3%A9%2F%25?x=%C3%A9"), 200),
    ("broken escape", get("/echo/%zz%4"), 200),
    ("head", get("/echo", method="HEAD"), 200),
    ("delete", get("/echo", method="DELETE"), 200),
    ("patch", get("/echo", method="PATCH"), 200),
    ("options", get("/echo", method="OPTIONS"), 200),
    ("post", post("/echo", b'{"a": 1}', "Content-Type: application/json"), 200),
    ("put", get("/echo", "Content-Length: 2", method="PUT") + b"ab", 200),
    ("empty body", post("/echo", b""), 200),
    ("body of a get", get("/echo", "Content-Length: 3") + b"abc", 200),
    ("leading zeros of the length", get("/echo", "Content-Length: 003", method="POST") + b"abc", 200),
    ("body in lines", post("/lines", b"abcde\nfghij\nkl\n\nmno\np"), 200),
    ("body in one line", post("/lines", b"abcdefghijklmnop"), 200),
    ("part of a body", post("/first_bytes", b"a" * 5_000), 200),
    ("body that looks like a request", post("/unread", get("/count")), 200),
    ("close", get("/echo", "Connection: close"), 200),
    ("Close", get("/echo", "connection: Close"), 200),
    ("keep-alive", get("/echo", "Connection: Keep-Alive"), 200),
    ("long request line", get("/echo?" + "a" * 4_000), 200),
    ("many fields", get("/echo", *(f"X-{number}: {number}" for number in range(97))), 200),
    ("empty value", get("/echo", "X-Empty:", "X-Blank:    "), 200),
    ("colons and spaces in a value", get("/echo", "X-Odd:  a: b  c :  "), 200),
    ("strange name", get("/echo", "!#$%&'*+-.^`|~09aZ: x"), 200),
    ("forwarded", get("/echo", "X-Forwarded-For: 1.2.3.4, 5.6.7.8", "X-Real-IP: 1.2.3.4"), 200),
    ("forwarded https", get("/echo", "X-Forwarded-Proto: https"), 200),
    ("forwarded http", get("/echo", "X-Forwarded-Proto: http"), 200),
    ("forwarded ssl", get("/echo", "X-Forwarded-Ssl: on"), 200),
    ("forwarded HTTPS in capitals", get("/echo", "X-Forwarded-Proto: HTTPS"), 200),
]
"""These must take the fast path."""

ODD: list[Shape] = [
    ("http 1.0", raw("GET /echo HTTP/1.0", "Host: a"), 200),
    ("http 1.0 keep-alive", raw("GET /echo HTTP/1.0", "Connection: keep-alive"), 200),
    ("no host", raw("GET /echo HTTP/1.1"), 200),
    ("absolute form", raw("GET http://a/echo HTTP/1.1", "Host: a"), 200),
    ("two slashes", raw("GET //echo HTTP/1.1", "Host: a"), 200),
    ("fragment", raw("GET /echo#x HTTP/1.1", "Host: a"), 200),
    ("asterisk", raw("OPTIONS * HTTP/1.1", "Host: a"), 200),
    ("empty line first", b"\r\n" + get("/echo"), 200),
    ("two empty lines first", b"\r\n\r\n" + get("/echo"), 400),
    ("tab in a value", get("/echo", "X-Tab: a\tb"), 200),
    ("tabs around a value", get("/echo", "X-Tab:\ta\t"), 200),
    ("high byte in a value", get("/echo", "X-High: \xe9"), 200),
    ("repeated field", get("/echo", "X-Two: a", "x-two: b"), 200),
    ("forwarded twice alike", get("/echo", "X-Forwarded-Proto: https", "X-Forwarded-Ssl: on"), 200),
    ("forwarded twice unlike", get("/echo", "X-Forwarded-Proto: https", "X-Forwarded-Ssl: off"), 400),
    ("underscore", get("/echo", "X_Under: a", "Content_Length: 5"), 200),
    ("path of the app", get("/echo", "SCRIPT_NAME: /echo"), 200),
    ("own method", raw("PURGE /echo HTTP/1.1", "Host: a"), 200),
    ("trace", raw("TRACE /echo HTTP/1.1", "Host: a"), 200),
    ("connect", raw("CONNECT a:80 HTTP/1.1", "Host: a"), 200),
    ("connection to more", get("/echo", "Connection: keep-alive, X-Hop"), 200),
    ("upgrade", get("/echo", "Connection: Upgrade", "Upgrade: websocket"), 200),
    (
        "http 2 by upgrade",
        get("/echo", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMA"),
        200,
    ),
    ("http 2 by prior knowledge", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    ("expect", post("/echo", b"abc", "Expect: 100-continue"), 100),
    ("expect else", post("/echo", b"abc", "Expect: 200-ok"), 417),
    (
        "chunked",
        get("/echo", "Transfer-Encoding: chunked", method="POST") + b"3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n",
        200,
    ),
    ("chunked, unread", get("/unread", "Transfer-Encoding: chunked", method="POST") + b"3\r\nabc\r\n0\r\n\r\n", 200),
    (
        "chunked, read in part",
        get("/first_bytes", "Transfer-Encoding: chunked", method="POST") + b"6\r\nabcdef\r\n0\r\n\r\n",
        200,
    ),
    ("trailers", get("/echo", "Transfer-Encoding: chunked", method="POST") + b"1\r\na\r\n0\r\nX-T: 1\r\n\r\n", 200),
    ("path in utf-8", "GET /echo/é HTTP/1.1\r\nHost: a\r\n\r\n".encode(), 400),
    ("many fields too many", get("/echo", *(f"X-{number}: {number}" for number in range(101))), 431),
    ("hundred fields", get("/echo", *(f"X-{number}: {number}" for number in range(99))), 200),
    ("request line too long", get("/echo?" + "a" * 5_000), 414),
    ("long field", get("/echo", "X-Long: " + "a" * 8_000), 200),
    ("field too long", get("/echo", "X-Long: " + "a" * 9_000), 431),
    ("no request", b"", 0),
    ("nonsense", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    ("lower-case method", raw("get /echo HTTP/1.1", "Host: a"), 400),
    ("no version", raw("GET /echo", "Host: a"), 400),
    ("version 0.9", raw("GET /echo HTTP/0.9", "Host: a"), 400),
    ("version 1.2", raw("GET /echo HTTP/1.2", "Host: a"), 200),
    ("version 1.10", raw("GET /echo HTTP/1.10", "Host: a"), 400),
    ("two spaces", raw("GET  /echo HTTP/1.1", "Host: a"), 400),
    ("space at the line's end", raw("GET /echo HTTP/1.1 ", "Host: a"), 400),
    ("tab for a space", raw("GET\t/echo\tHTTP/1.1", "Host: a"), 400),
    ("no path", raw("GET  HTTP/1.1", "Host: a"), 400),
    ("path without a slash", raw("GET echo HTTP/1.1", "Host: a"), 400),
    ("null in the path", raw("GET /e\x00cho HTTP/1.1", "Host: a"), 400),
]
"""These are gunicorn's, whose answers ours must be."""

SMUGGLING: list[Shape] = [
    ("two lengths", get("/echo", "Content-Length: 3", "Content-Length: 3", method="POST") + b"abc", 400),
    ("two unlike lengths", get("/echo", "Content-Length: 3", "content-length: 0", method="POST") + b"abc", 400),
    ("list of lengths", get("/echo", "Content-Length: 3, 3", method="POST") + b"abc", 400),
    ("signed length", get("/echo", "Content-Length: +3", method="POST") + b"abc", 400),
    ("negative length", get("/echo", "Content-Length: -3", method="POST") + b"abc", 400),
    ("hexadecimal length", get("/echo", "Content-Length: 0x3", method="POST") + b"abc", 400),
    ("length with a point", get("/echo", "Content-Length: 3.0", method="POST") + b"abc", 400),
    ("length with an underscore", get("/echo", "Content-Length: 1_0", method="POST") + b"abc", 400),
    ("superscript length", get("/echo", "Content-Length: \xb3", method="POST") + b"abc", 400),
    ("empty length", get("/echo", "Content-Length:", method="POST") + b"abc", 400),
    ("length and chunked", post("/echo", b"3\r\nabc\r\n0\r\n\r\n", "Transfer-Encoding: chunked"), 400),
    ("chunked in http 1.0", raw("POST /echo HTTP/1.0", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"), 400),
    ("chunked twice", get("/echo", "Transfer-Encoding: chunked, chunked", method="POST") + b"0\r\n\r\n", 400),
    ("chunked, then not", get("/echo", "Transfer-Encoding: chunked, identity", method="POST") + b"0\r\n\r\n", 400),
    ("unknown coding", get("/echo", "Transfer-Encoding: xchunked", method="POST") + b"0\r\n\r\n", 501),
    ("coding with a vertical tab", get("/echo", "Transfer-Encoding: \x0bchunked", method="POST") + b"0\r\n\r\n", 400),
    ("space before the colon", get("/echo", "Content-Length : 3", method="POST") + b"abc", 400),
    ("space before the coding's colon", get("/echo", "Transfer-Encoding : chunked", method="POST") + b"0\r\n\r\n", 400),
    ("folded field", get("/echo", "X-Folded: a", " Content-Length: 3", method="POST") + b"abc", 400),
    ("folded with a tab", get("/echo", "Transfer-Encoding:", "\tchunked", method="POST") + b"0\r\n\r\n", 400),
    ("fold at once", raw("GET /echo HTTP/1.1", " Host: a"), 400),
    ("no colon", get("/echo", "Content-Length"), 400),
    ("no name", get("/echo", ": 3"), 400),
    ("name with a high byte", get("/echo", "Content-Length\xa0: 3", method="POST") + b"abc", 400),
    ("two hosts", get("/echo", "Host: b"), 400),
    ("two types", get("/echo", "Content-Type: a", "Content-Type: b"), 400),
    ("line feeds only", b"GET /echo HTTP/1.1\nHost: a\n\n", 400),
    ("one line feed", b"GET /echo HTTP/1.1\r\nX-A: b\nContent-Length: 3\r\nHost: a\r\n\r\nabc", 400),
    ("carriage return in a value", b"GET /echo HTTP/1.1\r\nX-A: b\rContent-Length: 3\r\nHost: a\r\n\r\nabc", 400),
    ("carriage return in the request line", b"GET /echo\r HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("null in a value", get("/echo", "X-Null: a\x00b"), 400),
    ("null in a name", get("/echo", "X-Nu\x00ll: a"), 400),
    ("delete in a value", get("/echo", "X-Del: a\x7fb"), 400),
    (
        "chunk without an end",
        get("/echo", "Transfer-Encoding: chunked", method="POST") + b"3\r\nabcX\r\n0\r\n\r\n",
        400,
    ),
]
"""Each of these was once understood by two servers in two ways."""


def chunked(path: str, body: bytes) -> bytes:
    """Write a request with a body in chunks, be they what they may."""
    return get(path, "Transfer-Encoding: chunked", method="POST") + body


BAD_CHUNKS: list[tuple[str, bytes]] = [
    ("negative size", b"-3\r\nabc\r\n0\r\n\r\n"),
    ("signed size", b"+3\r\nabc\r\n0\r\n\r\n"),
    ("size with a prefix", b"0x3\r\nabc\r\n0\r\n\r\n"),
    ("size with an underscore", b"0_3\r\nabc\r\n0\r\n\r\n"),
    ("no hexadecimal size", b"xyz\r\nabc\r\n0\r\n\r\n"),
    ("no size", b"\r\nabc\r\n0\r\n\r\n"),
    ("blank before the size", b" 3\r\nabc\r\n0\r\n\r\n"),
    ("size without an end", b"3" * 9_000),
    ("more than its size", b"3\r\nabcX\r\n0\r\n\r\n"),
    ("less than its size", b"9\r\nabc\r\n0\r\n\r\n"),
    ("line feeds only", b"3\nabc\n0\n\n"),
    ("line feed behind the data", b"3\r\nabc\n0\r\n\r\n"),
    ("bare carriage return in an extension", b"3;a\rb\r\nabc\r\n0\r\n\r\n"),
    ("odd extension", b"3;=\r\nabc\r\n0\r\n\r\n"),
    ("end without a line", b"3\r\nabc\r\n0\r\nX"),
    ("no last chunk", b"3\r\nabc\r\n"),
    ("nothing", b""),
    ("length as a trailer", b"3\r\nabc\r\n0\r\nContent-Length: 3\r\n\r\n"),
    ("trailer without a colon", b"3\r\nabc\r\n0\r\nX-Trailer\r\n\r\n"),
    ("trailer with line feeds only", b"3\r\nabc\r\n0\r\nX-A: b\n\r\n"),
    ("trailers without end", b"3\r\nabc\r\n0\r\n" + b"X-A: b\r\n" * 200),
]
"""Bodies that nobody can tell the end of."""
