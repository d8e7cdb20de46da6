"""The dashboard's process: rq-dashboard's pages over our Redis, behind the gate."""

from __future__ import annotations

import logging

from flask import Flask
from rq.serializers import JSONSerializer
from rq_dashboard import default_settings, web
from rq_dashboard.web import blueprint, setup_rq_connection
from rq_dashboard.web import config as pages
from werkzeug.serving import make_server

from jobs.dashboard.gate import Gate
from jobs.dashboard.key import prepare_key
from jobs.dashboard.visits import Visits
from runtime.auth.domains import names_of
from runtime.clock import Clock, SystemClock
from runtime.messaging.connection import connect
from runtime.settings import Settings, load
from runtime.stopping import Stop, stop_on_signals
from runtime.systemd import systemd

logger = logging.getLogger(__name__)


def rq_dashboard_app(redis_url: str, *, writes: bool) -> Flask:
    """Return rq-dashboard as its authors say that it is embedded, for jobs whose data are JSON."""
    pages.serializer = JSONSerializer
    # It would make a client of its own for each page, and of some URLs one that takes a replica for the primary.
    client = connect(redis_url)
    web.from_url = lambda *_, **__: (None, client)
    # Flask looks for files beside the package that it is named after: the pages' icon is there.
    app = Flask("rq_dashboard")
    app.config.from_object(default_settings)
    app.config.update(RQ_DASHBOARD_REDIS_URL=redis_url, RQ_DASHBOARD_DISABLE_DELETE=not writes)
    setup_rq_connection(app)
    app.register_blueprint(blueprint)
    return app


def make_gate(settings: Settings, key: str, clock: Clock) -> Gate:
    """Return the whole application of the settings."""
    writes = settings.dashboard_writes == "on"
    # Browsers send a host's cookies to all of its ports, so that of another run needs another name.
    cookie = f"taptrade_dashboard_{settings.dashboard_port}"
    app = rq_dashboard_app(settings.redis_url, writes=writes)
    domains = [name for domain in settings.dashboard_domains for name in names_of(domain)]
    return Gate(app, Visits(key, clock), domains, cookie=cookie, writes=writes)


def main(address: str) -> None:
    """Serve at an address until SIGTERM or SIGINT."""
    stop = Stop()
    stop_on_signals(stop)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # it would log every request
    settings = load()
    gate = make_gate(settings, prepare_key(settings), SystemClock())
    server = make_server(address, settings.dashboard_port, gate, threaded=True)
    logger.info("rq-dashboard answers on %s, port %d", address, settings.dashboard_port)

    def look() -> None:
        systemd.alive()
        if stop.is_set():
            systemd.stopping()
            raise SystemExit(0)

    # What serve_forever does twice a second and after each request.
    server.service_actions = look  # type: ignore[method-assign]
    systemd.ready()
    server.serve_forever()
