"""What all requests of a connection share, and which settings of gunicorn leave room for a fast path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gevent.socket import socket
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.http.message import _ip_in_allow_list
from gunicorn.http.wsgi import base_environ

from runtime.server.connection import Connection

_ORDINARY = (
    *("protocol", "proxy_protocol", "certfile", "keyfile", "http2_cleartext"),
    *("limit_request_line", "limit_request_fields", "limit_request_field_size"),
    *("permit_obsolete_folding", "strip_header_spaces", "casefold_http_method"),
    *("permit_unconventional_http_method", "permit_unconventional_http_version", "header_map"),
    *("accesslog", "logconfig", "logconfig_dict", "logconfig_json", "syslog", "statsd_host"),
    *("pre_request", "post_request"),
)
"""Settings that the fast path knows by their defaults only: with another value every request is gunicorn's."""


def is_ordinary(cfg: Config, environment: Mapping[str, str]) -> bool:
    """Tell whether a plain request may be answered without gunicorn's parser."""
    if "SCRIPT_NAME" in environment or cfg.logger_class.access is not Logger.access:
        return False
    settings = (cfg.settings[name] for name in _ORDINARY)
    return all(setting.get() == setting.default for setting in settings)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the requests of a connection come from."""

    environ: dict[str, Any]
    """The part of the environ that they share."""
    schemes: dict[str, str]
    """The environ's keys of the fields by which this client may say that it was asked over TLS, with the value that
    says so: none unless it is a proxy that is trusted."""


def origin_of(cfg: Config, listener: socket, client: Connection, address: tuple[Any, ...]) -> Origin:
    """Describe a client."""
    server = listener.getsockname()
    environ = {
        **base_environ(cfg),
        "wsgi.multithread": True,
        "wsgi.url_scheme": "http",
        "gunicorn.socket": client,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "REMOTE_ADDR": address[0],
        "REMOTE_PORT": str(address[1]),
        "SCRIPT_NAME": "",
    }
    trusted = _ip_in_allow_list(address[0], cfg.forwarded_allow_ips, cfg.forwarded_allow_networks())
    schemes = cfg.secure_scheme_headers if trusted else {}
    return Origin(environ, {"HTTP_" + name.replace("-", "_"): value for name, value in schemes.items()})
