# inspect_test.py: airs-inspect against the echo server, from outside, as a person uses it.
#
#   inspect_test.py AIRS_INSPECT ECHO_SERVER
#
# A directory of the test's own stands in for the session's. airs-inspect looks into /tmp as well:
# what the dead have left there is removed, and beside a program that runs the test is left out.
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

TOOL, SERVER = sys.argv[1:3]
DEADLINE = time.monotonic() + 60


def run(*arguments):
    done = subprocess.run([TOOL, *arguments], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def shown(*arguments):
    code, out, err = run(*arguments)
    assert code == 0, f"{arguments}: {code}, {err}"
    return out


def refused(expected_code, part, *arguments):
    code, out, err = run(*arguments)
    assert code == expected_code, f"{arguments}: {code}, not {expected_code}: {out}{err}"
    assert part in err and out == "", f"{arguments}: {out}{err}"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start():
    server = subprocess.Popen([SERVER, f"127.0.0.1:{free_port()}"])
    path = f"{directory}/airssys-rt/echo_server-{server.pid}.sock"
    until(lambda: run("ps", "--socket", path)[0] == 0)
    until(lambda: "connections" in shown("ps", "--socket", path))
    return server, path


def until(is_so):
    while not is_so():
        assert time.monotonic() < DEADLINE, "it does not become so"
        time.sleep(0.01)


def leave_out_if_others_run():
    run("list", "--clean")
    code, out, _ = run("list")
    if code == 0:
        print(f"other programs run that can be looked into:\n{out}")
        sys.exit(77)


def nobody_runs():
    refused(1, "no program", "list")
    refused(1, "no program", "ps")
    refused(1, "999999", "tree", "--pid", "999999")
    refused(1, "/nowhere", "schedulers", "--socket", "/nowhere")


def usage_is_checked():
    refused(2, "subcommand")
    refused(2, "sort", "ps", "--sort", "beauty")
    refused(2, "0.12.1", "info", "me")
    refused(2, "PROCESS", "info")
    refused(2, "excludes", "ps", "--pid", "1", "--socket", "x")
    assert "tree" in shown("--help")
    assert "--top" in shown("ps", "--help")


def one_runs(server, path):
    assert f"{server.pid}" in shown("list") and path in shown("list")
    listed = json.loads(shown("list", "--json"))
    assert [(each["state"], each["process_id"], each["schedulers"]) for each in listed] == [
        ("runs", server.pid, 2)], listed

    table = shown("ps")
    assert table.splitlines()[0].split()[:2] == ["PID", "NAME"] and "\x1b" not in table
    processes = json.loads(shown("ps", "--json", "--sort", "name", "-r"))["processes"]
    supervisor = processes[0]
    assert supervisor["name"] == "connections" and supervisor["code"].endswith("SupervisorServer")
    assert len(json.loads(shown("ps", "--json", "--top", "1"))["processes"]) == 1
    for choice in (("--pid", str(server.pid)), ("--socket", path)):
        assert supervisor["pid"] in shown("ps", *choice)

    tree = shown("tree")
    assert f"`- {supervisor['pid']} connections [supervisor]" in tree, tree
    roots = json.loads(shown("tree", "--json"))
    marked = [child for root in roots for child in root["children"] if child["is_supervisor"]]
    assert [child["name"] for child in marked] == ["connections"], roots

    for name in (supervisor["pid"], supervisor["pid"].strip("<>"), supervisor["pid"].split(".")[1]):
        until(lambda: json.loads(shown("info", name, "--json"))["asked"] == "answered")
        assert "connections" in shown("info", name)
    asked = json.loads(shown("info", supervisor["pid"], "--json"))
    assert asked["links"]["pids"] == [supervisor["parent"]], asked
    refused(1, "no process", "info", "0.12345.1")

    assert len(json.loads(shown("schedulers", "--json"))) == 2
    assert shown("schedulers").count("\n") == 3


def two_run(first, first_path):
    second, second_path = start()
    refused(1, second_path, "ps")
    assert len(json.loads(shown("list", "--json"))) == 2
    assert "connections" in shown("ps", "--pid", str(first.pid))
    second.send_signal(signal.SIGKILL)
    second.wait()
    # The file is still there, and nobody listens.
    assert "dead" in shown("list")
    refused(1, "nobody listens", "ps", "--pid", str(second.pid))
    assert "connections" in shown("ps")
    states = {each["socket"]: each for each in json.loads(shown("list", "--clean", "--json"))}
    assert states[second_path]["removed"] and not os.path.exists(second_path)
    assert os.path.exists(first_path)


def its_socket_goes_with_it(server, path):
    server.send_signal(signal.SIGTERM)
    assert server.wait(timeout=60) == 0
    assert not os.path.exists(path)


with tempfile.TemporaryDirectory(prefix="airs-") as directory:
    os.environ["XDG_RUNTIME_DIR"] = directory
    usage_is_checked()
    leave_out_if_others_run()
    nobody_runs()
    first, first_path = start()
    try:
        one_runs(first, first_path)
        two_run(first, first_path)
        its_socket_goes_with_it(first, first_path)
    finally:
        first.kill()
