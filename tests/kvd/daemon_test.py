"""daemon_test.py: the daemon from outside: its clients, its tools, its flags.

Method: real processes, real sockets, real files, real signals, and Redis' own tools where they are
installed.
"""

import os
import shutil
import subprocess
import sys
import threading
import time
import unittest

from support import (PATIENCE_S, SHARDS, Client, ErrorReply, WithDaemon, command, free_port,
                     run_to_end, wait_until)


class Clients(WithDaemon):
    def test_too_many_clients_are_told_so(self):
        server = self.start("--max-clients", "3")
        clients = [server.client() for _ in range(3)]
        for client in clients:
            self.assertEqual(client.value("PING"), "PONG")
        with server.client() as one_more:
            self.assertEqual(one_more.rest(), b"-ERR max number of clients reached\r\n")
        clients.pop().close()

        def is_let_in():
            with server.client() as client:
                try:
                    client.send(command("PING"))
                    return client.reply() == b"+PONG\r\n"
                except (EOFError, ConnectionError):
                    return False

        wait_until("room for another client", is_let_in)
        for client in clients:
            self.assertEqual(client.value("PING"), "PONG")
            client.close()

    def test_clients_leave_the_logs_the_files_that_they_need(self):
        server = self.start("--segment", "1kb", under="ulimit -n 200")
        clients = [server.client() for _ in range(300)]
        with clients[0] as client:
            limit = client.value("CONFIG", "GET", "maxclients")[1]
            self.assertTrue(server.said(f"at most {limit} clients"))
            for number in range(500):
                self.assertEqual(client.value("SET", f"key:{number}", "x" * 50), "OK")
        self.assertEqual(clients[-1].rest(), b"-ERR max number of clients reached\r\n")
        for client in clients:
            client.close()

    def test_as_many_files_may_be_open_as_the_system_allows(self):
        server = self.start(under="ulimit -Sn 100")
        clients = [server.client() for _ in range(200)]
        for client in clients:
            self.assertEqual(client.value("PING"), "PONG")
            client.close()

    def test_a_value_beyond_the_limit_is_a_protocol_error(self):
        server = self.start("--max-value", "1kb")
        with server.client() as client:
            self.assertEqual(client.value("SET", "k", "x" * 1024), "OK")
            client.send(command("SET", "k", "x" * 1025))
            self.assertEqual(client.rest(), b"-ERR Protocol error: invalid bulk length\r\n")

    def test_beyond_the_memory_limit_writes_are_refused_and_reads_go_on(self):
        server = self.start("--max-memory", "1mb")
        with server.client() as client:
            refused = None
            for number in range(100_000):
                try:
                    client.value("SET", f"key:{number}", "x" * 1000)
                except ErrorReply as error:
                    refused = (number, str(error))
                    break
            self.assertIsNotNone(refused)
            number, text = refused
            self.assertEqual(text, "OOM command not allowed when used memory > 'maxmemory'.")
            self.assertEqual(client.value("STRLEN", "key:0"), 1000)
            for other in range(number):
                client.value("DEL", f"key:{other}")
            self.assertEqual(client.value("SET", "key", "x"), "OK")

    def test_a_client_that_leaves_in_the_middle_harms_nobody(self):
        server = self.start()
        for _ in range(50):
            client = server.client()
            client.send(command("SET", "k", "v") * 100 + b"*3\r\n$3\r\nSET\r\n$1000\r\nabc")
            client.close()
        with server.client() as client:
            self.assertEqual(client.value("PING"), "PONG")
            self.assertEqual(client.value("GET", "k"), "v")

        def is_alone():
            with server.client() as client:
                return "connected_clients:1\r\n" in client.value("INFO")

        wait_until("the others to be gone", is_alone)

    def test_a_slow_reader_gets_every_byte_and_holds_up_nobody(self):
        server = self.start()
        value = "x" * 100_000
        with server.client() as slow, server.client() as other:
            slow.value("SET", "big", value)
            sender = threading.Thread(target=slow.send, args=(command("GET", "big") * 500,))
            sender.start()
            for _ in range(100):
                self.assertEqual(other.value("PING"), "PONG")
            for _ in range(500):
                self.assertEqual(len(slow.reply()), len(value) + 11)
            sender.join(PATIENCE_S)

    def test_info_counts(self):
        server = self.start()
        with server.client() as client:
            client.value("MSET", "a", "1", "b", "2")
            client.value("EXPIRE", "a", "100")
            info = client.value("INFO")
            self.assertIn("db0:keys=2,expires=1,avg_ttl=0\r\n", info)
            self.assertIn(f"shards:{SHARDS}\r\n", info)
            self.assertIn("aof_fsync:everysec\r\n", info)
            names = [description[0] for description in client.value("COMMAND")]
            self.assertIn("get", names)

    def test_help_names_the_subcommands_that_there_are(self):
        server = self.start()
        with server.client() as client:
            for command_name in ("CLIENT", "COMMAND", "CONFIG"):
                for form in client.value(command_name, "HELP")[1:]:
                    try:
                        client.value(command_name, form.split()[0])
                    except ErrorReply as error:
                        self.assertNotIn("unknown subcommand", str(error))

    def test_keys_that_nobody_asks_for_expire_too(self):
        server = self.start()
        with server.client() as client:
            for number in range(200):
                client.value("SET", f"key:{number}", "v", "PX", "1")
            wait_until("the sweep", lambda: client.value("DBSIZE") == 0)
            self.assertIn("expired_keys:200\r\n", client.value("INFO"))


    def test_a_daemon_that_has_nothing_to_do_wakes_nobody(self):
        server = self.start()

        def is_at_rest():
            before = server.context_switches()
            time.sleep(0.5)  # on purpose: rest is what shall be seen
            return server.context_switches() == before

        wait_until("rest at the beginning", is_at_rest)
        with server.client() as client:
            client.value("SET", "a", "1")
            client.value("SET", "b", "1", "PX", "200")
            wait_until("rest after work", is_at_rest)
            self.assertEqual(client.value("DBSIZE"), 1)


class Tools(WithDaemon):
    def setUp(self):
        if not shutil.which("redis-cli"):
            self.skipTest("redis-cli is not installed")

    def test_redis_cli_talks_to_it(self):
        server = self.start()
        script = "set greeting 'hello world'\nget greeting\nincr n\nkeys gree*\nnonsense\n"
        result = subprocess.run(["redis-cli", "-p", str(server.port)], input=script, text=True,
                                capture_output=True, timeout=PATIENCE_S, check=True)
        self.assertEqual(result.stdout.split("\n")[:4],
                         ["OK", "hello world", "1", "greeting"])
        self.assertIn("ERR unknown command", result.stdout)
        scan = subprocess.run(["redis-cli", "-p", str(server.port), "--scan"], text=True,
                              capture_output=True, timeout=PATIENCE_S, check=True)
        self.assertEqual(sorted(scan.stdout.split()), ["greeting", "n"])

    def test_redis_benchmark_runs_through(self):
        server = self.start()
        for pipeline in ("1", "16"):
            result = subprocess.run(
                ["redis-benchmark", "-p", str(server.port), "-c", "50", "-P", pipeline, "-n",
                 "5000", "-r", "1000", "-q", "-t", "ping,set,get,incr,mset"],
                text=True, capture_output=True, timeout=PATIENCE_S, check=True)
            for test in ("PING_INLINE", "SET", "GET", "INCR", "MSET (10 keys)"):
                self.assertIn(f"{test}: ", result.stdout)
            self.assertNotIn("Error", result.stdout + result.stderr)


class Flags(WithDaemon):
    KVD = os.environ.get("KVD", "")

    def assert_refused(self, command_line, *words):
        code, message = run_to_end(command_line)
        self.assertEqual(code, 2, message)
        for word in words:
            self.assertIn(word, message)
        self.assertEqual(len(message.strip().split("\n")), 1, message)

    def test_help_names_every_flag(self):
        code, text = run_to_end([self.KVD, "--help"])
        self.assertEqual(code, 0)
        for flag in ("--port", "--bind", "--schedulers", "--shards", "--data", "--inspector",
                     "--fsync", "--max-clients", "--max-value", "--max-memory"):
            self.assertIn(flag, text)

    def test_a_bad_flag_is_one_sentence_and_exit_code_2(self):
        for flags in (["--port", "x"], ["--port", "70000"], ["--shards", "0"], ["--shards", "257"],
                      ["--fsync", "sometimes"], ["--max-value", "lots"], ["--max-value", "600mb"],
                      ["--nonsense"], ["--max-clients", "0"], ["--schedulers", "-1"],
                      ["--port", ""], ["--port", " 7"], ["--port", "0x10"], ["--port", "010"],
                      ["--shards", " 4"], ["--max-memory", "-1"], ["--segment", "-1"],
                      ["--max-memory", "99999999999999999999"], ["--max-memory", ""],
                      ["--segment", "1"], ["--fsync", ""], ["--fsync", "1"], ["--fsync", "7"],
                      ["--data", ""]):
            with self.subTest(flags=flags):
                self.assert_refused([self.KVD, *flags], "kvd: ")

    def test_a_port_in_use_is_one_sentence_and_exit_code_2(self):
        server = self.start()
        line = server.command_line()
        line[line.index("--data") + 1] += "-other"
        self.assert_refused(line, "cannot listen on", "in use")

    def test_a_directory_that_cannot_be_used_is_one_sentence_and_exit_code_2(self):
        server = self.start()
        line = server.command_line()
        line[line.index("--port") + 1] = str(free_port())
        self.assert_refused(line, "another program uses the data")
        line[line.index("--data") + 1] = "/proc/nowhere"
        self.assert_refused(line, "cannot create /proc/nowhere")

    def test_a_log_that_cannot_be_written_is_one_sentence_and_exit_code_2(self):
        server = self.start()
        server.terminate()
        shard = os.path.join(server.directory, "data", "shard-1")
        shutil.rmtree(shard)
        with open(shard, "w", encoding="utf-8"):
            pass  # a file where a directory should be: root is stopped by nothing less
        self.assert_refused(server.command_line(), shard)

    def test_an_inspector_without_a_place_is_one_sentence_and_exit_code_2(self):
        server = self.start()
        server.terminate()
        line = server.command_line()
        line[line.index("--inspector") + 1] = "/nowhere/inspector"
        self.assert_refused(line, "/nowhere")

    def test_an_address_that_is_none_is_one_sentence_and_exit_code_2(self):
        server = self.start()
        server.terminate()
        for address in ("nonsense", "300.0.0.1", "*", "["):
            self.assert_refused([*server.command_line(), "--bind", address], "cannot listen on")

    def test_an_address_of_ipv6_is_written_with_or_without_brackets(self):
        for address in ("::1", "[::1]"):
            server = self.start("--bind", address)
            self.assertTrue(server.said(f"ready on [::1]:{server.port}"))
            server.terminate()

    def test_another_number_of_shards_is_refused(self):
        server = self.start()
        server.terminate()
        line = server.command_line()
        line[line.index("--shards") + 1] = "3"
        self.assert_refused(line, "is for 'kvd 1, 4 shards', not for 'kvd 1, 3 shards'")


if __name__ == "__main__":
    if not os.environ.get("KVD"):
        sys.exit("KVD must name the daemon's program")
    unittest.main(verbosity=2)
