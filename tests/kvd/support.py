"""support.py: what the tests of the daemon have in common: servers in directories of their own, and
a client that sends bytes and reads whole replies.

Every wait has an end that says what was waited for; nothing sleeps in the hope that it was enough.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

PATIENCE_S = 60
SHARDS = 4


def wait_until(what, condition):
    """Waits until condition() is true; a test that waits too long fails and says for what."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {PATIENCE_S} s for: {what}")
        time.sleep(0.005)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def command(*words):
    """A command as programs send it. Words are str or bytes."""
    encoded = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(encoded) + b"".join(
        b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)


class Client:
    """One connection. reply() is a whole reply as bytes; value() is what it means."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def _more(self):
        data = self.socket.recv(1 << 16)
        if not data:
            raise EOFError("the server has closed the connection")
        self.buffer += data

    def _line(self):
        while b"\r\n" not in self.buffer:
            self._more()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line + b"\r\n"

    def _take(self, count):
        while len(self.buffer) < count:
            self._more()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def reply(self):
        line = self._line()
        if line[:1] == b"$" and line[1:2] != b"-":
            return line + self._take(int(line[1:]) + 2)
        if line[:1] == b"*":
            return line + b"".join(self.reply() for _ in range(int(line[1:])))
        return line

    def ask(self, *words):
        self.send(command(*words))
        return self.reply()

    def value(self, *words):
        """The reply's value: str, int, None, a list, or an exception that is raised."""
        return parse(self.ask(*words))[0]

    def rest(self):
        """All that comes until the server closes."""
        data = self.buffer
        self.buffer = b""
        while True:
            try:
                piece = self.socket.recv(1 << 16)
            except ConnectionResetError:
                return data
            if not piece:
                return data
            data += piece


class ErrorReply(Exception):
    pass


def parse(data):
    line, rest = data.split(b"\r\n", 1)
    kind, text = line[:1], line[1:]
    if kind == b"+":
        return text.decode(), rest
    if kind == b"-":
        raise ErrorReply(text.decode())
    if kind == b":":
        return int(text), rest
    if kind == b"$":
        size = int(text)
        return (None, rest) if size < 0 else (rest[:size].decode("latin-1"), rest[size + 2:])
    items = []
    for _ in range(int(text)):
        item, rest = parse(rest)
        items.append(item)
    return items, rest


class Server:
    """A daemon in a directory of its own, which outlives a restart and is removed by close(). It is
    started by a shell that has been told `under` before."""

    def __init__(self, *flags, under="true"):
        self.under = under
        self.directory = tempfile.mkdtemp(prefix="kvd-test.")
        self.flags = flags
        self.port = free_port()
        self.process = None
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def command_line(self):
        return [os.environ["KVD"], "--port", str(self.port), "--inspector", "", "--data",
                os.path.join(self.directory, "data"), *self.flags]

    def start(self):
        self.lines = []
        line = ["sh", "-c", f'{self.under} && exec "$0" "$@"', *self.command_line()]
        self.process = subprocess.Popen(line, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                        text=True)
        self.reader = threading.Thread(target=self._read_lines, args=(self.process,), daemon=True)
        self.reader.start()
        wait_until("the daemon to be ready", self._is_ready)

    def _read_lines(self, process):
        with process.stderr:
            for line in process.stderr:
                self.lines.append(line.rstrip("\n"))

    def _is_ready(self):
        if self.process.poll() is not None:
            self.reader.join()
            raise AssertionError("the daemon has ended:\n" + "\n".join(self.lines))
        return any("ready on" in line for line in self.lines)

    def said(self, text):
        return any(text in line for line in self.lines)

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE_S)
        self.reader.join()

    def terminate(self):
        """Asks it to end, and answers its exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE_S)
        self.reader.join()
        return code

    def open_files(self):
        """Their paths, as /proc has them."""
        directory = f"/proc/{self.process.pid}/fd"
        paths = []
        for name in os.listdir(directory):
            try:
                paths.append(os.readlink(os.path.join(directory, name)))
            except FileNotFoundError:
                pass  # it has been closed just now
        return paths

    def context_switches(self):
        """Of all the runtime's threads together; a sanitizer has one of its own."""
        count = 0
        for thread in os.listdir(f"/proc/{self.process.pid}/task"):
            path = f"/proc/{self.process.pid}/task/{thread}/status"
            try:
                with open(path, encoding="utf-8") as file:
                    status = file.read()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended just now
            if status.startswith("Name:\tairs-"):
                count += sum(int(line.split()[1]) for line in status.splitlines()
                             if "ctxt_switches" in line)
        return count

    def client(self):
        return Client(self.port)

    def close(self):
        if self.process and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


class Redis(Server):
    """The real one, without any of its own files."""

    def command_line(self):
        return ["redis-server", "--port", str(self.port), "--save", "", "--appendonly", "no",
                "--databases", "1", "--dir", self.directory, *self.flags]

    def start(self):
        self.lines = []
        self.process = subprocess.Popen(self.command_line(), stdout=subprocess.DEVNULL)
        wait_until("redis-server to be ready", self._accepts)

    def _accepts(self):
        try:
            with Client(self.port) as client:
                return client.ask("PING") == b"+PONG\r\n"
        except (ConnectionError, EOFError):
            return False

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE_S)


def run_to_end(command_line, **options):
    """Exit code and what was said on stderr."""
    result = subprocess.run(command_line, text=True, capture_output=True, timeout=PATIENCE_S,
                            check=False, **options)
    return result.returncode, result.stderr + result.stdout


class WithDaemon(unittest.TestCase):
    def start(self, *flags, **options):
        server = Server("--shards", str(SHARDS), *flags, **options)
        self.addCleanup(server.close)
        return server
