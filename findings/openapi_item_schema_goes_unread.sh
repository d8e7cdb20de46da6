#!/bin/sh
# OpenAPI 3.2 can at last say what the events of a stream hold: `itemSchema`, beside `schema`. Of two much-used generators
# of clients one makes nothing of it and the other nothing at all. openapi-typescript 7.13.0 (npm) reads a document of 3.2
# without a word and types the stream `unknown`. openapi-python-client 0.29.1 (PyPI) refuses every document that says 3.2,
# so that a house which says a little more about one stream loses the client for all of its endpoints.
# Whoever wants typed events today leaves the document at 3.1 and names their types among the components.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet openapi-python-client==0.29.1
npm init -y >/dev/null
npm install --silent --no-fund --no-audit openapi-typescript@7.13.0 typescript@5.9.3 >/dev/null

cat >write.py <<'END'
import json
price = {"type": "object", "required": ["cents"], "properties": {"cents": {"type": "integer"}}}
for version, told in (("3.1.0", {"schema": {"type": "string"}}), ("3.2.0", {"itemSchema": {
    "type": "object", "required": ["data"], "properties": {"data": {
        "type": "string", "contentMediaType": "application/json",
        "contentSchema": {"$ref": "#/components/schemas/Price"}}}}})):
    answer = {"200": {"description": "prices", "content": {"text/event-stream": told}}}
    json.dump({"openapi": version, "info": {"title": "prices", "version": "1"},
        "paths": {"/stream": {"get": {"operationId": "stream", "responses": answer}}},
        "components": {"schemas": {"Price": price}}}, open(f"{version}.json", "w"))
END
python3 write.py
for version in 3.1.0 3.2.0; do
  node_modules/.bin/openapi-typescript "$version.json" -o "$version.ts" >/dev/null 2>&1
  echo "openapi-typescript, $version:$(grep text/event-stream "$version.ts")"
  if venv/bin/openapi-python-client generate --meta none --path "$version.json" --output-path "made-$version" >said 2>&1
  then echo "openapi-python-client, $version: a client"
  else echo "openapi-python-client, $version: $(grep -o 'Only OpenAPI versions 3.1.\* are supported' said)"
  fi
done | tr -s ' ' >seen
cat >expected <<'END'
openapi-typescript, 3.1.0: "text/event-stream": string;
openapi-python-client, 3.1.0: a client
openapi-typescript, 3.2.0: "text/event-stream": unknown;
openapi-python-client, 3.2.0: Only OpenAPI versions 3.1.* are supported
END
cat seen
diff expected seen && echo "as described" || { echo "this has changed" && exit 1; }
