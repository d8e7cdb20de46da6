#!/bin/sh
# One stream of server-sent events, four readers, four results. By the HTML standard an `id` line lasts: each event
# afterwards carries it as its lastEventId, also an id that came alone without data; a block without data is no event;
# and an event whose blank line never came is dropped.
#  - eventsource 4.1.1 (npm) and sseclient-py 1.9.0 give an id to the one event that holds the line: the id of a block
#    without data is lost to `lastEventId`, and an event without an id line has none.
#  - httpx-sse 0.4.3 carries ids on, but yields an event with empty data for each block of only `id` or `retry`.
#  - sseclient-py yields the unfinished last event when the connection ends: half of an answer can pass for a whole one.
# A server that lets clients resume should therefore put an id on each event that matters, and data beside each id.
set -eu
folder=$(mktemp -d)
server=
trap 'test -z "$server" || kill "$server"; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet httpx==0.28.1 httpx-sse==0.4.3 requests==2.32.5 sseclient-py==1.9.0
npm install --silent --no-fund --no-audit eventsource@4.1.1 >/dev/null

cat >serve.py <<'END'
import socket
BODY = b"id: 7\n\ndata: a\n\nid: 8\ndata: b\n\ndata: c\n\nid: 9\ndata: unfinished"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
with socket.create_server(("127.0.0.1", 0)) as listener:
    with open("port.part", "w") as file:
        file.write(str(listener.getsockname()[1]))
    import os
    os.rename("port.part", "port")
    while True:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(HEAD + BODY)
END
cat >read.py <<'END'
import sys
import httpx, httpx_sse, requests, sseclient
url = f"http://127.0.0.1:{sys.argv[1]}/"
with httpx.Client() as client, httpx_sse.connect_sse(client, "GET", url) as source:
    print("httpx-sse", *(f"{event.data or '(empty)'}:{event.id}" for event in source.iter_sse()))
with requests.get(url, stream=True) as answer:
    print("sseclient-py", *(f"{event.data}:{event.id or ''}" for event in sseclient.SSEClient(answer).events()))
END
cat >read.mjs <<'END'
import { EventSource } from 'eventsource'
const seen = ['eventsource']
const source = new EventSource(`http://127.0.0.1:${process.argv[2]}/`)
source.onmessage = (event) => seen.push(`${event.data}:${event.lastEventId}`)
source.onerror = () => { source.close(); console.log(seen.join(' ')) }
END
cat >expected <<'END'
the standard a:7 b:8 c:8
httpx-sse (empty):7 a:7 b:8 c:8
sseclient-py a: b:8 c: unfinished:9
eventsource a: b:8 c:
END
python3 serve.py & server=$!
while ! test -f port; do kill -0 "$server"; done
{
    echo "the standard a:7 b:8 c:8"
    venv/bin/python read.py "$(cat port)"
    node read.mjs "$(cat port)"
} >seen
cat seen
diff expected seen && echo "as described" || { echo "this has changed" && exit 1; }
