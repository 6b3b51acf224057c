"""programs.py: the programs that are compared: how each is built, started, and why one is missing.

Every program takes a workload's name, its number of threads from the environment, and prints
"R metric value unit" lines, or "S" for a workload that it has no notion of.
"""

import glob
import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PEERS = ROOT / "benchmarks" / "peers"
KVD_LOAD = ROOT / "tools" / "benchmark" / "kvd_load.py"
CARGO_REGISTRY = "/usr/share/cargo/registry"

# What compiles all that is C++, ours and the peers: the better of the two that we support.
HAS_CLANG = shutil.which("clang++-19") is not None
CC, CXX = ("clang-19", "clang++-19") if HAS_CLANG else ("gcc", "g++")


def source_of(build):
    """The checkout that this folder is a build of; None: of none yet."""
    try:
        info = json.loads((build / "meson-info" / "meson-info.json").read_text())
        return pathlib.Path(info["directories"]["source"])
    except FileNotFoundError:
        return None


class Missing(Exception):
    """Why a program cannot be had, and what to do about it."""


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=False, **options)
    if done.returncode != 0:
        text = (done.stderr + done.stdout).strip().splitlines()
        raise Missing(f"{pathlib.Path(command[0]).name} failed: {text[-1] if text else '?'}")


def need(what, is_there, package):
    if not is_there:
        raise Missing(f"{what} is not installed: apt-get install {package}")


class Builder:
    """Builds programs below a folder. `sources` holds checkouts of what Debian lacks or has old."""

    def __init__(self, folder, sources):
        self.folder = pathlib.Path(folder)
        self.sources = pathlib.Path(sources) if sources else None
        self.folder.mkdir(parents=True, exist_ok=True)

    def ours(self):
        return [self._of_ours("benchmarks/ours/airssys-bench")]

    def echo_load(self):
        return self._of_ours("benchmarks/load/airssys-echo-load")

    def savina(self):
        return [self._of_ours("benchmarks/savina/airssys-savina")]

    def micro(self):
        return [self._of_ours("benchmarks/micro/airssys-micro")]

    def simulated(self):
        return self._of_ours("benchmarks/simulated/airssys-simulated")

    def paths(self):
        """By clang, for which it is agreed what they take (paths.py)."""
        need("clang", HAS_CLANG, "clang-19")
        return self._of_ours("benchmarks/paths/airssys-paths")

    def kvd(self):
        self._need_redis()
        kvd = self._of_ours("examples/kvd/kvd", "kvd", "-Dbenchmarks=disabled")
        return [sys.executable, KVD_LOAD, "kvd", kvd]

    def redis(self):
        self._need_redis()
        return [sys.executable, KVD_LOAD, "redis"]

    @staticmethod
    def _need_redis():
        need("Redis", shutil.which("redis-server") and shutil.which("redis-benchmark"),
             "redis-server redis-tools")

    def _of_ours(self, target, folder="ours", kind="-Dexamples=disabled"):
        build = self.folder / f"{folder}-{CXX}"
        if source_of(build) != ROOT:
            shutil.rmtree(build, ignore_errors=True)
            run("meson", "setup", build, ROOT, "--buildtype=release", "-Dtests=disabled",
                "-Dchecks=disabled", "-Dtools=disabled", kind,
                env=dict(os.environ, CC=CC, CXX=CXX))
        run("ninja", "-C", build, target)
        return build / target

    def erlang(self):
        need("Erlang", shutil.which("erlc"), "erlang-base erlang-dev")
        code = self.folder / "erlang"
        code.mkdir(exist_ok=True)
        run("erlc", "+inline", "-o", code, *sorted((PEERS / "erlang").glob("*.erl")))
        return ["erl", "+S", "{threads}:{threads}", "+P", "4000000", "-noshell", "-pa", code,
                "-run", "pbench", "main"]

    def go(self):
        need("Go", shutil.which("go"), "golang")
        run("go", "build", "-o", self.folder / "go_peer", ".", cwd=PEERS / "go",
            env=dict(os.environ, GOFLAGS="-mod=mod", GOPROXY="off", GOTOOLCHAIN="local"))
        return [self.folder / "go_peer"]

    def epoll(self):
        return self._cxx("epoll")

    def boost_fiber(self):
        need("Boost.Fiber", os.path.exists("/usr/include/boost/fiber/all.hpp"),
             "libboost-fiber-dev")
        return self._cxx("boost_fiber", "-lboost_fiber", "-lboost_context")

    def caf(self):
        need("CAF", os.path.exists("/usr/include/caf/all.hpp"), "libcaf-dev")
        return self._cxx("caf", "-lcaf_core")

    def caf1(self):
        source = self._source("actor-framework+actor-framework", "CAF 1.x")
        place = self.folder / "caf1"
        if not (place / "lib/libcaf_core.a").exists():
            self._cmake(source, place, "-DBUILD_SHARED_LIBS=OFF", "-DCAF_ENABLE_IO_MODULE=OFF",
                        "-DCAF_ENABLE_NET_MODULE=OFF", "-DCAF_ENABLE_OPENSSL_MODULE=OFF",
                        "-DCAF_ENABLE_TESTING=OFF", "-DCAF_ENABLE_EXAMPLES=OFF")
        return self._cxx("caf", "-std=c++20", "-I", place / "include",
                         place / "lib/libcaf_core.a", name="caf1")

    def sobjectizer(self):
        source = self._source("Stiffstream+sobjectizer", "SObjectizer")
        place = self.folder / "sobjectizer_lib"
        if not glob.glob(f"{place}/lib/libso_s*.a"):
            self._cmake(source / "dev", place, "-DSOBJECTIZER_BUILD_SHARED=OFF")
        return self._cxx("sobjectizer", "-I", place / "include",
                         *glob.glob(f"{place}/lib/libso_s*.a"))

    def tokio(self):
        need("cargo", shutil.which("cargo"), "cargo rustc librust-tokio-dev")
        crate = self.folder / "tokio"
        shutil.copytree(PEERS / "tokio/src", crate / "src", dirs_exist_ok=True)
        (crate / ".cargo").mkdir(exist_ok=True)
        recipe = (PEERS / "tokio/Cargo.toml.in").read_text()
        if checkout := self._find_source("tokio-rs+tokio"):
            recipe = recipe.replace("@TOKIO@", f'path = "{checkout}/tokio"').replace("@PATCH@", "")
        else:
            need("Tokio", glob.glob(f"{CARGO_REGISTRY}/tokio-1*"), "librust-tokio-dev")
            recipe = recipe.replace("@TOKIO@", 'version = "1"').replace("@PATCH@", "")
            (crate / ".cargo/config.toml").write_text(
                '[source.crates-io]\nreplace-with = "deb"\n'
                f'[source.deb]\ndirectory = "{CARGO_REGISTRY}"\n')
        (crate / "Cargo.toml").write_text(recipe)
        run("cargo", "build", "-q", "--offline", "--release", cwd=crate)
        return [crate / "target/release/pbench_tokio"]

    def tokio_mimalloc(self):
        library = next(iter(glob.glob("/usr/lib/*/libmimalloc.so.2*")), None)
        need("mimalloc", library, "libmimalloc-dev")
        return ["env", f"LD_PRELOAD={library}", *self.tokio()]

    def limits(self):
        need("Boost.Context", os.path.exists("/usr/include/boost/context/detail/fcontext.hpp"),
             "libboost-context-dev")
        return self._cxx("limits", "-lboost_context", "-ldl")[0]

    def _cxx(self, source, *arguments, name=None):
        program = self.folder / (name or source)
        run(CXX, "-O2", "-DNDEBUG", "-std=c++17", "-pthread", PEERS / f"{source}.cpp",
            "-o", program, *arguments)
        return [program]

    def _cmake(self, source, place, *options):
        build = place.with_name(place.name + "-build")
        run("cmake", "-S", source, "-B", build, "-DCMAKE_BUILD_TYPE=Release",
            f"-DCMAKE_C_COMPILER={CC}", f"-DCMAKE_CXX_COMPILER={CXX}",
            f"-DCMAKE_INSTALL_PREFIX={place}", *options)
        run("cmake", "--build", build, f"-j{os.cpu_count()}", "--target", "install")

    def _find_source(self, name):
        if not self.sources:
            return None
        return next((place for place in (self.sources / name / "repo", self.sources / name)
                     if (place / ".git").exists() or (place / "README.md").exists()), None)

    def _source(self, name, what):
        if place := self._find_source(name):
            return place
        raise Missing(f"{what} is not in Debian: --peers DIR names the folder of {name}")


NAMES = ("ours", "erlang", "go", "tokio", "tokio_mimalloc", "caf1", "caf", "boost_fiber",
         "sobjectizer", "epoll", "redis")


def build_all(builder, wanted, say):
    """Commands by program, for those that could be built; says why the others could not."""
    commands = {}
    for name in NAMES:
        if name not in wanted:
            continue
        try:
            commands[name] = [str(word) for word in getattr(builder, name)()]
        except (Missing, OSError) as why:
            if name == "ours":
                raise
            say(f"without {name}: {why}")
    return commands


def commands_of(builder, commands, workloads, say):
    """Commands by (program, workload), where a workload has its own; and what cannot be had."""
    found = {}
    missing = set()
    if "erlang" in commands and "fair_blocked" in workloads:  # each that is blocked takes a thread
        program, *arguments = commands["erlang"]
        found["erlang", "fair_blocked"] = [program, "+SDio", "128", *arguments]
    if "echo" in workloads:  # the load starts the program
        load = str(builder.echo_load())
        found |= {(name, "echo"): [load, *command] for name, command in commands.items()
                  if name != "redis"}
    if "ours" in commands and "kvd" in workloads:
        try:
            found["ours", "kvd"] = [str(word) for word in builder.kvd()]
        except Missing as why:
            say(f"without the workload kvd: {why}")
            missing.add("kvd")
    return found, missing
