#!/bin/sh
# boto3 1.44: S3 writes an object only where none of that name is, if the request says `If-None-Match: *`. `put_object`
# and `complete_multipart_upload` take the parameter. `upload_file`, which chooses between the two by the file's size,
# does not: it raises ValueError for an unknown extra argument before anything is sent. So whoever must write once and
# has files of any size does by hand what `upload_file` is there for.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet boto3==1.44.8

cat >once.py <<'CODE'
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import boto3
from botocore.config import Config

asked = []


class Store(BaseHTTPRequestHandler):
    def do_PUT(self):
        asked.append(self.headers["If-None-Match"])
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words): ...


server = HTTPServer(("127.0.0.1", 0), Store)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = boto3.client(
    "s3",
    endpoint_url=f"http://127.0.0.1:{server.server_port}",
    region_name="us-east-1",
    aws_access_key_id="any",
    aws_secret_access_key="any",
    config=Config(proxies={}, request_checksum_calculation="when_required"),
)
Path("week").write_bytes(b"rows")
client.put_object(Bucket="archives", Key="week", Body=b"rows", IfNoneMatch="*")
print("put_object sends", asked.pop())
print("complete_multipart_upload takes it:", "IfNoneMatch" in client.meta.service_model.operation_model(
    "CompleteMultipartUpload").input_shape.members)
try:
    client.upload_file("week", "archives", "week", ExtraArgs={"IfNoneMatch": "*"})
except ValueError as ex:
    print("upload_file:", str(ex).partition(",")[0])
print("requests of upload_file:", len(asked))
server.shutdown()
CODE
cat >expected <<'TEXT'
put_object sends *
complete_multipart_upload takes it: True
upload_file: Invalid extra_args key 'IfNoneMatch'
requests of upload_file: 0
TEXT
AWS_EC2_METADATA_DISABLED=true venv/bin/python once.py | tee seen
diff expected seen
