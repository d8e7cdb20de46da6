"""The environment that our processes live in: what libraries would read there as their own settings is left out.

Settings of ours begin with TAPTRADE_. Whatever else configures a library was meant for somebody else's program: a
GUNICORN_CMD_ARGS moves the port, an RQ_KEY_PREFIX hides the queues, a PYTHONPATH brings another `runtime`.
"""

from __future__ import annotations

import fnmatch
from collections.abc import MutableMapping

FOREIGN: dict[str, tuple[str, ...]] = {
    "Python": ("PYTHON*",),
    "gunicorn": (
        *("GUNICORN_*", "WEB_CONCURRENCY", "PORT", "SENDFILE", "FORWARDED_ALLOW_IPS"),
        *("SCRIPT_NAME", "SERVER_SOFTWARE"),
        *("LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID"),
    ),
    "gevent and its loop": ("GEVENT*", "LIBEV_*", "PURE_PYTHON"),
    "greenlet": ("GREENLET_*",),
    "Falcon": ("FALCON_*",),
    "RQ, rq-scheduler and rq-dashboard": ("RQ_*", "REDIS_*", "PREFERRED_URL_SCHEME"),
    "Flask and Werkzeug": ("FLASK_*", "WERKZEUG_*"),
    "prometheus-client": ("PROMETHEUS_*", "prometheus_multiproc_dir"),
    "Ethereum libraries": ("ETH_ACCOUNT_*", "ETH_HASH_*", "ECC_BACKEND_CLASS", "COINCURVE_*"),
    "cryptography and its OpenSSL": ("CRYPTOGRAPHY_*", "OPENSSL_*", "CFFI_*"),
    "PyCryptodome": ("PYCRYPTODOME_*",),
    "pydantic": ("PYDANTIC_*",),
    "websockets": ("WEBSOCKETS_*",),
    "argcomplete": ("_ARC_DEBUG", "_ARGCOMPLETE*", "ARGCOMPLETE_*"),
    "psycopg and libpq": ("PG*", "PSYCOPG_*"),
    "boto3 and urllib3": ("BOTO*", "SSLKEYLOGFILE", "_X_AMZN_*"),
    "Litestream": ("LITESTREAM_*",),
    "libraries of `taptrade calibrate`": (
        *("NPY_*", "NUMPY_*", "SCIPY_*", "SKLEARN_*", "JOBLIB_*", "LOKY_*", "KMP_*", "PRIMA_DEBUGGING"),
        *("MPL*", "MATPLOTLIBRC", "QT_*", "PYPARSING*", "SOURCE_DATE_EPOCH", "PYTORCH_*", "COVERAGE_PROCESS_START"),
    ),
}
"""By whom they are read: the variables, `*` being any ending."""


def is_foreign(name: str) -> bool:
    """Tell whether a variable would configure a library."""
    return any(fnmatch.fnmatchcase(name, pattern) for patterns in FOREIGN.values() for pattern in patterns)


def leave_out_foreign(environ: MutableMapping[str, str]) -> None:
    """Remove every variable that would configure a library, before it is imported."""
    for name in [*environ]:
        if is_foreign(name):
            del environ[name]
