"""durability_test.py: nothing acknowledged is lost, whatever dies.

Method: real processes, real sockets, real files, real signals. What was acknowledged is kept in a
list of the test's own and compared afterwards.
"""

import os
import sys
import threading
import unittest

from support import PATIENCE_S, SHARDS, Client, Server, WithDaemon, command, run_to_end, wait_until


class Writer(threading.Thread):
    """Writes counters to keys of its own until it is told to stop, and notes what was acknowledged.

    After an error reply it goes on: that write was not acknowledged and may be there or not.
    """

    def __init__(self, server, name, pipeline=8):
        super().__init__(daemon=True)
        self.server = server
        self.name_of_keys = name
        self.pipeline = pipeline
        self.acknowledged = {}
        self.uncertain = {}
        self.replies = 0
        self.stopping = threading.Event()
        self.failure = None

    def run(self):
        try:
            with self.server.client() as client:
                self.write(client)
        except (EOFError, ConnectionError):
            pass  # the daemon was killed; what is noted is what counts
        except BaseException as failure:  # pylint: disable=broad-except
            self.failure = failure

    def write(self, client):
        number = 0
        while not self.stopping.is_set():
            batch = [(f"{self.name_of_keys}:{n % 500}", str(n))
                     for n in range(number, number + self.pipeline)]
            number += self.pipeline
            for key, value in batch:
                self.uncertain.setdefault(key, []).append(value)
            client.send(b"".join(command("SET", key, value) for key, value in batch))
            for key, value in batch:
                if client.reply() == b"+OK\r\n":
                    self.acknowledged[key] = value
                    self.uncertain[key] = []
                self.replies += 1

    def stop(self):
        self.stopping.set()
        self.join(PATIENCE_S)
        if self.failure:
            raise self.failure

    def missing(self, client):
        """Keys whose value is neither what was acknowledged nor what was written after it."""
        pairs = [(key, value, client.value("GET", key))
                 for key, value in self.acknowledged.items()]
        return [(key, value, found) for key, value, found in pairs
                if found != value and found not in self.uncertain[key]]


class Durability(WithDaemon):
    def writers(self, server, count=4):
        all_writers = [Writer(server, f"w{number}") for number in range(count)]
        for writer in all_writers:
            writer.start()
        return all_writers

    def assert_nothing_missing(self, server, writers):
        with server.client() as client:
            for writer in writers:
                self.assertGreater(len(writer.acknowledged), 0)
                self.assertEqual(writer.missing(client), [])

    def test_an_acknowledged_write_survives_the_crash_of_its_shard(self):
        server = self.start()
        writers = self.writers(server)
        with server.client() as client:
            for crash in range(8):
                before = sum(writer.replies for writer in writers)
                wait_until("more writes",
                           lambda: sum(writer.replies for writer in writers) >= before + 200)
                self.assertEqual(client.value("DEBUG", "CRASH", crash % SHARDS), "OK")
                client.value("DBSIZE")
        for writer in writers:
            writer.stop()
        self.assert_nothing_missing(server, writers)
        self.assertTrue(server.said("keys again"))
        self.assertEqual(server.terminate(), 0)

    def test_a_shard_that_has_just_crashed_knows_all_its_keys(self):
        """It answers before it has read them all: whoever asks for one, or for all, gets them."""
        server = Server("--shards", "1")
        self.addCleanup(server.close)
        keys = 30_000
        with server.client() as client:
            for start in range(0, keys, 1000):
                client.send(b"".join(command("APPEND", f"key:{number}", number)
                                     for number in range(start, start + 1000)))
                for _ in range(1000):
                    client.reply()
            questions = {
                ("GET", "key:4711"): "4711",
                ("DBSIZE",): keys,
                ("EXISTS", "key:1", "key:29999", "key:30000"): 2,
                ("APPEND", "key:4712", "x"): 5,
                ("SCAN", "0", "COUNT", "100000", "MATCH", "key:123"): ["0", ["key:123"]],
                ("INCR", "key:100"): 101,
                ("DEL", "key:100"): 1,
            }
            for question, answer in questions.items():
                client.value("DEBUG", "CRASH", "0")
                self.assertEqual(client.value(*question), answer, question)
            client.value("DEBUG", "CRASH", "0")
            client.value("SET", "key:100", "again")
            wait_until("all is read", lambda: server.said(f"{keys} keys again"))
            self.assertEqual(client.value("GET", "key:100"), "again")
            client.value("DEBUG", "CRASH", "0")
            self.assertEqual(client.value("FLUSHALL"), "OK")
            self.assertEqual(client.value("DBSIZE"), 0)
            client.value("DEBUG", "CRASH", "0")
            self.assertEqual(client.value("DBSIZE"), 0)

    def test_an_acknowledged_write_survives_kill_9_of_the_daemon(self):
        for fsync in ("always", "everysec", "no"):
            with self.subTest(fsync=fsync):
                server = self.start("--fsync", fsync)
                for _ in range(3):
                    writers = self.writers(server)
                    wait_until("writes", lambda: all(len(w.acknowledged) > 50 for w in writers))
                    server.kill()
                    for writer in writers:
                        writer.stop()
                    server.start()
                    self.assert_nothing_missing(server, writers)

    def test_nothing_is_lost_while_the_log_is_compacted(self):
        server = self.start("--segment", "20kb")
        writers = self.writers(server)
        data = os.path.join(server.directory, "data")

        def bases():
            return sum(name.endswith(".base") for shard in range(SHARDS)
                       for name in os.listdir(os.path.join(data, f"shard-{shard}")))

        wait_until("a base for every shard", lambda: bases() >= SHARDS)
        with server.client() as client:
            client.value("DEBUG", "CRASH", "1")
        wait_until("more writes", lambda: all(len(w.acknowledged) == 500 for w in writers))
        server.kill()
        for writer in writers:
            writer.stop()
        server.start()
        self.assert_nothing_missing(server, writers)
        # Some 2000 keys live; the log holds about as much, not all that was ever written.
        size = sum(os.path.getsize(os.path.join(path, name))
                   for path, _, names in os.walk(data) for name in names)
        self.assertLess(size, 1_000_000)

    def test_a_segment_that_a_compaction_has_replaced_is_closed(self):
        for fsync in ("always", "everysec", "no"):
            with self.subTest(fsync=fsync):
                server = self.start("--segment", "1kb", "--fsync", fsync)
                with server.client() as client:
                    for number in range(500):
                        client.value("SET", f"key:{number % 8}", "x" * 50)
                wait_until("removed files to be closed", lambda: not any(
                    path.endswith(" (deleted)") for path in server.open_files()))

    def test_sigterm_finishes_what_was_begun_and_ends_with_zero(self):
        server = self.start("--fsync", "everysec")
        writers = self.writers(server)
        wait_until("writes", lambda: all(len(w.acknowledged) > 50 for w in writers))
        self.assertEqual(server.terminate(), 0)
        for writer in writers:
            writer.stop()
        with self.assertRaises(ConnectionRefusedError):
            Client(server.port)
        server.start()
        self.assert_nothing_missing(server, writers)

    def test_values_times_and_deletions_come_back(self):
        server = self.start()
        with server.client() as client:
            client.value("MSET", "a", "1", "b", "2", "c", "3")
            client.value("APPEND", "a", "23")
            client.value("DEL", "b")
            client.value("EXPIRE", "c", "1000")
            client.value("SET", "gone", "x", "PX", "1")
            client.value("SET", "binary", b"\0\r\n\xff" * 1000)
            client.value("INCRBY", "n", "-5")
            wait_until("a key to expire", lambda: client.value("EXISTS", "gone") == 0)
        server.kill()
        server.start()
        with server.client() as client:
            self.assertEqual(client.value("MGET", "a", "b", "c", "gone", "n"),
                             ["123", None, "3", None, "-5"])
            self.assertEqual(client.value("GET", "binary"), "\0\r\n\xff" * 1000)
            self.assertGreater(client.value("TTL", "c"), 900)
            self.assertEqual(client.value("TTL", "a"), -1)
            client.value("FLUSHALL")
        server.kill()
        server.start()
        with server.client() as client:
            self.assertEqual(client.value("DBSIZE"), 0)

    def test_a_write_that_was_cut_off_is_reported_and_damage_is_refused(self):
        server = self.start()
        with server.client() as client:
            for number in range(100):
                client.value("SET", f"key:{number}", "v" * 50)
        server.kill()
        log = os.path.join(server.directory, "data", "shard-0", "00000001.log")
        with open(log, "ab") as file:
            file.write(b"\x40\0\0\0half a record")
        server.start()
        self.assertTrue(server.said("bytes of a change that was never finished"))
        with server.client() as client:
            self.assertEqual(client.value("DBSIZE"), 100)
        server.kill()
        with open(log, "r+b") as file:
            file.seek(60)
            file.write(b"?")
        code, message = run_to_end(server.command_line())
        self.assertEqual(code, 2, message)
        self.assertIn("is damaged at byte", message)
        self.assertIn(log, message)

    def test_a_failed_sync_ends_the_daemon_before_a_restart_can_hide_it(self):
        server = self.start()
        server.kill()
        log = os.path.join(server.directory, "data", "shard-0", "00000001.log")
        os.remove(log)
        os.symlink("/dev/null", log)  # which takes whatever is written, and syncs nothing
        for fsync in ("always", "everysec"):
            with self.subTest(fsync=fsync):
                code, message = run_to_end([*server.command_line(), "--fsync", fsync])
                self.assertEqual(code, 1, message)
                self.assertIn(f"cannot sync {log}", message)


if __name__ == "__main__":
    if not os.environ.get("KVD"):
        sys.exit("KVD must name the daemon's program")
    unittest.main(verbosity=2)
