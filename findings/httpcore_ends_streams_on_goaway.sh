#!/bin/sh
# httpcore 1.0.9 with h2 4.4.1 (httpx 0.28.1, http2=True): a server that closes gracefully sends GOAWAY with NO_ERROR and the
# number of the last stream that it will answer, and goes on with those up to it (RFC 9113, 6.8). nginx does so at each
# reload. h2 takes the connection for closed at that frame, and httpcore raises in the middle of such a stream:
# LocalProtocolError (RECV_DATA in state CLOSED) where data came with the frame, else RemoteProtocolError. So an event
# stream or a download that the server would have finished is broken off. A test that what is under way goes on needs
# HTTP/1.1 or another client.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet 'httpx[http2]==0.28.1' httpcore==1.0.9 h2==4.4.1

cat >goaway.py <<'CODE'
import socket
import threading

import h2.connection
import h2.config
import h2.events
import httpx


def serve(listener):
    line, _ = listener.accept()
    server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    server.initiate_connection()
    line.sendall(server.data_to_send())
    while True:
        for event in server.receive_data(line.recv(65_536)):
            if isinstance(event, h2.events.RequestReceived):
                stream = event.stream_id
                server.send_headers(stream, [(":status", "200")])
                server.send_data(stream, b"first ")
                line.sendall(server.data_to_send())
                # GOAWAY, written by hand: h2 itself would take the connection for closed. Type 7, last stream 1, NO_ERROR.
                line.sendall(b"\x00\x00\x08\x07\x00\x00\x00\x00\x00" + stream.to_bytes(4, "big") + b"\x00\x00\x00\x00")
                server.send_data(stream, b"second", end_stream=True)
                line.sendall(server.data_to_send())
                return
        line.sendall(server.data_to_send())


with socket.create_server(("127.0.0.1", 0)) as listener:
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    with httpx.Client(http1=False, http2=True, trust_env=False) as client:
        try:
            print("read:", client.get(url).text)
        except httpx.ProtocolError as ex:
            print(f"broken off: {type(ex).__name__}: {ex}")
CODE
venv/bin/python goaway.py
