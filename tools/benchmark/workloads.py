"""workloads.py: what is measured, and what the runtime is to reach beside the best of its peers.

A workload's definition is in benchmarks/README.md. An aim is a ratio, ours to the best peer of the
same session; the figure beside it is what that peer reached on the machine where the aim was set.
"""

from dataclasses import dataclass

# Each workload, and the numbers of scheduler threads that it is measured with.
WORKLOADS = {
    "pingpong": (1, 2),
    "ring": (1, 2),
    "spawn": (1, 2),
    "fanin": (2,),
    "big": (2,),
    "skynet": (2,),
    "chameneos": (2,),
    "call": (1, 2),
    "chatter": (1, 2),
    "traffic_8": (1, 2),
    "traffic_100": (2,),
    "traffic_10000": (2,),
    "traffic_1000000": (2,),
    "selrecv": (2,),
    "timers": (2,),
    "wake": (2,),
    "restart": (2,),
    "restarts": (1, 2),
    "fair_base": (2,),
    "fair_spin": (2,),
    "fair_yield": (2,),
    "idle": (2,),
    "idle_hibernating": (2,),
    "idle_servers": (2,),
    "echo": (1,),
    "kvd": (1,),
}

# With tables of their own: measured when asked for by name, or by --growth, --day, --fairness.
APART = {
    "day": (2,),
    "fair_blocked": (2,),
    "fair_flood": (2,),
    "fair_storm": (2,),
    "growth": (1,),
    "growth_bodies": (1,),
}

# What a quick session leaves out: a minute each.
SLOW = ("idle", "idle_hibernating", "idle_servers", "timers", "traffic_8", "traffic_100",
        "traffic_10000", "traffic_1000000")

# Peers that were first or second somewhere: a quick session and the aims run these alone.
STRONGEST = {
    "spawn": ("tokio", "tokio_mimalloc", "go"),
    "fanin": ("go", "tokio"),
    "big": ("boost_fiber", "tokio", "tokio_mimalloc", "go"),
    "skynet": ("go", "tokio_mimalloc", "boost_fiber"),
    "timers": ("caf1", "caf", "sobjectizer", "go"),
    "idle": ("tokio", "caf1", "caf"),
    "chatter": ("erlang",),
    "traffic_8": ("erlang",),
    "traffic_100": ("erlang",),
    "traffic_10000": ("erlang",),
    "traffic_1000000": ("erlang",),
    "echo": ("epoll", "go", "erlang"),
    "kvd": ("redis",),
    "idle_hibernating": (),  # ours alone
    "idle_servers": (),  # stand beside the peers' idle
    "selrecv": ("erlang",),
    "wake": ("sobjectizer", "erlang"),
    "restart": ("tokio", "caf1", "caf"),
    "restarts": (),  # ours alone
    "fair_base": ("boost_fiber", "go"),
    "fair_spin": ("erlang", "go"),
    "fair_yield": ("go", "erlang"),
}
STRONGEST_ELSEWHERE = ("tokio", "go")

# Of the program that measures the machine itself.
LIMITS = ("fctx", "line", "atomics", "futex", "alloc", "fault", "moody", "mpsc")


def is_more_better(unit):
    return unit.endswith("/s") or unit == "samples"


def peer_metric(metric):
    """Our second forms of a workload stand beside the peers' only one."""
    for form in ("_bodies", "_servers", "_warm", "_spinning"):
        metric = metric.replace(form, "")
    return metric


@dataclass(frozen=True)
class Aim:
    workload: str
    threads: int
    metric: str
    ratio: float  # at most; where more is better, at least
    reference: str
    absolute: float = 0  # the aim is this figure and not a ratio


AIMS = (
    Aim("pingpong", 1, "pingpong", 0.35, "205 ns (Tokio)"),
    Aim("pingpong", 2, "pingpong", 0.3, "297 ns (Tokio)"),
    Aim("ring", 1, "ring", 0.5, "93 ns (Tokio)"),
    Aim("ring", 2, "ring", 0.4, "160 ns (Tokio)"),
    Aim("spawn", 1, "spawn", 0.5, "169 ns (Tokio)"),
    Aim("spawn", 2, "spawn", 0.5, "288 ns (Go)"),
    Aim("fanin", 2, "fanin", 1.5, "12.1 M/s (Go 1.19), 16.6 M/s (Go 1.24)"),
    Aim("big", 2, "big", 1.1, "25.5 M/s (Boost.Fiber)"),
    Aim("skynet", 2, "skynet", 0.35, "661 ms (Go)"),
    Aim("chameneos", 2, "chameneos", 0.5, "586 ms (Tokio)"),
    Aim("call", 1, "call", 1.5, "3.8 M/s (Tokio)"),
    Aim("call", 2, "call", 2.0, "1.7 M/s (Tokio)"),
    Aim("selrecv", 2, "selrecv_again", 0.7, "372 us (Erlang)"),
    Aim("selrecv", 2, "selrecv_ref_call", 0.7, "0.75 us (Erlang)"),
    Aim("timers", 2, "timer_arm", 0.4, "234 ns (CAF)"),
    Aim("timers", 2, "timer_cancel", 1.0, "21 ns (Go)"),
    Aim("timers", 2, "timer_late_p50", 1.0, "67 us (SObjectizer)"),
    Aim("timers", 2, "timer_late_p99", 1.0, "187 us (CAF)"),
    Aim("wake", 2, "wake_p50", 1.3, "36 us (SObjectizer)"),
    Aim("wake", 2, "wake_spinning_p50", 0.05, "36 us (SObjectizer)"),
    Aim("wake", 2, "wake_spinning_p99", 0.05, "70 us (SObjectizer)"),
    Aim("restart", 2, "restart_p99", 1.0, "5.8 us (CAF, by hand)"),
    Aim("restarts", 2, "restarts_one_for_one_p99", 0, "1 ms", absolute=1000),
    Aim("fair_spin", 2, "fair_spin_p50", 0.5, "11.8 ms (Erlang)"),
    Aim("fair_spin", 2, "fair_spin_warm_p50", 0.1, "11.8 ms (Erlang)"),
    Aim("fair_spin", 2, "fair_spin_warm_p99", 0.2, "26 ms (Erlang)"),
    Aim("fair_yield", 2, "fair_yield_p50", 1.0, "4 us (Go)"),
    Aim("idle_hibernating", 2, "idle_hibernating_all", 0, "1229 B (CAF)", absolute=1024),
    Aim("idle_servers", 2, "idle_servers_create", 0.3, "1013 ns (Tokio)"),
    Aim("idle_servers", 2, "idle_servers_wake", 0.4, "544 ms (Tokio)"),
    Aim("idle_servers", 2, "idle_servers_rss", 0, "1229 B (CAF)", absolute=300),
    Aim("kvd", 1, "kvd_set_1", 1.0, "redis-server"),
    Aim("kvd", 1, "kvd_get_1", 1.0, "redis-server"),
    Aim("kvd", 1, "kvd_set_16", 1.0, "redis-server"),
    Aim("kvd", 1, "kvd_get_16", 1.0, "redis-server"),
)
