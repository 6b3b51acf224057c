# echo_test.py: the echo server echoes to several clients at once and ends in order on SIGTERM.
#
#   echo_test.py PROGRAM SCHEDULERS
import os
import signal
import socket
import subprocess
import sys
import time

DEADLINE = time.monotonic() + 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def connect(port):
    """Tries until the server listens: it says nothing when it does."""
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=20)
        except ConnectionRefusedError:
            if time.monotonic() > DEADLINE or server.poll() is not None:
                raise
            time.sleep(0.01)


def echo(client, text):
    client.sendall(text)
    got = b""
    while len(got) < len(text):
        part = client.recv(65536)
        assert part, "the server closed a connection that was in use"
        got += part
    assert got == text, "the echo differs"


port = free_port()
server = subprocess.Popen([sys.argv[1], f"127.0.0.1:{port}"],
                          env=os.environ | {"AIRSSYS_RT_SCHEDULERS": sys.argv[2]})
try:
    clients = [connect(port) for _ in range(20)]
    for round_number in range(3):
        for number, client in enumerate(clients):
            echo(client, f"{round_number} {number} ".encode() * 2000)
    clients[0].close()  # one that leaves troubles no other
    echo(clients[1], b"still here")
    server.send_signal(signal.SIGTERM)
    status = server.wait(timeout=30)
    assert status == 0, f"the server ended with {status}"
finally:
    server.kill()
