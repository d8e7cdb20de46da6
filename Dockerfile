# Five images: the edge, the queue, ours for every process of `taptrade serve`, the database of compose.cluster.yaml, and
# the buckets of the profile `s3`.

FROM nginx:1-bookworm AS edge
COPY nginx/*.conf nginx/origins nginx/tls nginx/api nginx/watch /edge/
COPY page /edge/page
RUN chmod -R a+rX /edge
CMD ["sh", "-c", "/edge/origins >/tmp/origins.conf && /edge/tls /tmp && /edge/api ${EDGE_APIS:-api:8000} >/tmp/upstreams.conf && { /edge/watch ${EDGE_APIS:-api:8000} & } && exec nginx -c /edge/nginx.conf -g 'daemon off;'"]

FROM redis:7-bookworm AS queue
# A volume takes its owner from the folder that it is laid over; the server runs as this user from the start.
RUN install -d -o 999 -g 999 -m 0700 /data
# Of several, as compose.cluster.yaml has them.
COPY cluster/redis cluster/sentinel /cluster/

FROM python:3.11-slim-bookworm AS build
WORKDIR /app
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
# As `make run` does it: every package is a wheel but crontab, pure Python, which the locked setuptools builds.
COPY requirements-build.lock requirements.lock ./
RUN python -m venv --without-pip .venv \
    && install="python -m pip --python .venv/bin/python install -q --no-build-isolation --use-pep517" \
    && $install --require-hashes -r requirements-build.lock \
    && $install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY functions functions
COPY runtime runtime
COPY jobs jobs
COPY taptrade taptrade
COPY page page
RUN python -m pip --python .venv/bin/python install -q --no-build-isolation --use-pep517 --no-deps --no-index -e . \
    && .venv/bin/python -m compileall -q functions runtime jobs taptrade \
    && chmod -R a+rX .
# The history is not in here, so `/version` reads which build this is from a stamp, which a release brings with it.
ARG BUILD=0
ARG SHA=unknown
RUN [ -f runtime/BUILD ] || echo "$BUILD $SHA" >runtime/BUILD

FROM python:3.11-slim-bookworm AS taptrade
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin taptrade \
    && install -d -o taptrade -g taptrade -m 0700 /data /replica
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 TZ=UTC TAPTRADE_DATA=/data
USER taptrade
ENTRYPOINT ["taptrade"]

# PostgreSQL with what watches over it, and etcd, which says who of them is the primary.
FROM python:3.11-slim-bookworm AS database
RUN groupadd --gid 10003 postgres \
    && useradd --uid 10003 --gid 10003 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin postgres \
    && apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends postgresql-common etcd-server \
    && echo 'create_main_cluster = false' >>/etc/postgresql-common/createcluster.conf \
    && apt-get install -y -qq --no-install-recommends postgresql-15 \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o postgres -g postgres -m 0700 /database /etcd
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
COPY requirements-build.lock cluster/requirements.lock /cluster/
RUN python -m venv --without-pip /patroni \
    && install="python -m pip --python /patroni/bin/python install -q --no-build-isolation --use-pep517 --require-hashes" \
    && $install -r /cluster/requirements-build.lock \
    && $install -r /cluster/requirements.lock
COPY cluster /cluster
RUN chmod -R a+rX /cluster
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 TZ=UTC LC_ALL=C
USER postgres
CMD ["/cluster/member"]

# The last, since some builders make all that stands before what is asked for.
FROM versity/versitygw:v1.7.0 AS buckets
# A folder is a bucket.
RUN install -d -o 10002 -g 10002 -m 0700 /s3 /s3/archives
