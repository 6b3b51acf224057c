"""report.py: results as tables of text: every metric, the aims, what changed since another session.

Each figure is a median. The spread is that of ours, from the least to the greatest, in percent of
the median: what is closer together than that says nothing.
"""

import statistics

from benchmark.workloads import AIMS, is_more_better, peer_metric


def values_of(runs, metric):
    return [run[metric][0] for run in runs if isinstance(run, dict) and metric in run]


def spread(values):
    middle = statistics.median(values)
    return (max(values) - min(values)) / middle * 100 if middle else 0


def number(value):
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def peers_of(results, workload, threads, metric, unit):
    """Medians by peer, the best first."""
    runs = {}
    for name in (workload, peer_metric(workload)):
        runs |= results.get(f"{name}/{threads}", {})
    found = {peer: statistics.median(values) for peer, of_peer in runs.items() if peer != "ours"
             if (values := values_of(of_peer, peer_metric(metric)))}
    return sorted(found.items(), key=lambda item: item[1], reverse=is_more_better(unit))


def rows(results):
    """(workload, threads, metric, unit, our values, peers) of all that we have measured."""
    for key, cell in results.items():
        workload, threads = key.split("/")
        runs = [run for run in cell.get("ours", []) if isinstance(run, dict)]
        for metric in runs[0] if runs else ():
            unit = runs[0][metric][1]
            yield (workload, int(threads), metric, unit, values_of(runs, metric),
                   peers_of(results, workload, threads, metric, unit))


def columns(lines):
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join(word.ljust(width) if i == 0 else word.rjust(width)
                               for i, (word, width) in enumerate(zip(line, widths))).rstrip()
                     for line in lines)


def table(results):
    lines = [("metric", "T", "unit", "ours", "spread", "best peer", "", "ratio", "others")]
    for _, threads, metric, unit, ours, peers in rows(results):
        middle = statistics.median(ours)
        best = peers[0] if peers else None
        lines.append((metric, str(threads), unit, number(middle), f"{spread(ours):.0f} %",
                      number(best[1]) if best else "-", best[0] if best else "",
                      f"{middle / best[1]:.2f}" if best and best[1] else "-",
                      "  ".join(f"{peer} {number(value)}" for peer, value in peers[1:])))
    failed = [f"{key}: {program} gave {runs.count('fail')} times no result"
              for key, cell in results.items() for program, runs in cell.items() if "fail" in runs]
    return "\n".join([columns(lines)] + failed)


def limits(runs):
    """Medians of the machine's own figures."""
    lines = [("what the machine allows", "median", "least", "unit")]
    for metric in dict.fromkeys(metric for run in runs if isinstance(run, dict) for metric in run):
        unit = next(run[metric][1] for run in runs if isinstance(run, dict) and metric in run)
        values = values_of(runs, metric)
        lines.append((metric, number(statistics.median(values)), number(min(values)), unit))
    return columns(lines)


def aimed(results):
    """The lines of a table: what each aim is about, ours, the best peer, and whether it is met."""
    measured = {(threads, metric): (unit, ours, peers)
                for _, threads, metric, unit, ours, peers in rows(results)}
    for aim in AIMS:
        if (aim.threads, aim.metric) not in measured:
            continue
        unit, ours, peers = measured[aim.threads, aim.metric]
        middle = statistics.median(ours)
        more = is_more_better(unit)
        sign = ">=" if more else "<="
        ratio = middle / peers[0][1] if peers and peers[0][1] else None
        reached, wanted = (middle, aim.absolute) if aim.absolute else (ratio, aim.ratio)
        verdict = "no peer"
        if reached is not None:
            verdict = "met" if (reached >= wanted if more else reached <= wanted) else "MISSED"
        yield (aim.metric, str(aim.threads), unit, number(middle),
               number(peers[0][1]) if peers else "-", peers[0][0] if peers else "",
               f"{ratio:.2f}" if ratio else "-", f"{sign} {wanted:g}", verdict, aim.reference)


def aims(results):
    lines = [("aim", "T", "unit", "ours", "best peer", "", "ratio", "aim", "", "when it was set")]
    lines += aimed(results)
    return columns(lines) if len(lines) > 1 else "no aim is about what was measured"


def quote(readme, found):
    """Writes the aims' table between two marks of a Markdown file."""
    begin, end = "<!-- figures -->\n", "<!-- end of figures -->\n"
    before, _, rest = readme.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    machine = "{cpu}, {cpus} CPUs, Linux {kernel}; commit {commit}, {compiler}, {when}".format(
        **found["machine"])
    lines = [f"`tools/bench --aims` on {machine}:", "",
             "| | threads | ours | best peer | | ratio | aim |",
             "|---|---|---|---|---|---|---|"]
    lines += [f"| {metric} | {threads} | {ours} {unit} | {best} | {peer} | {ratio} "
              f"| {aim} {verdict} |"
              for metric, threads, unit, ours, best, peer, ratio, aim, verdict, _
              in aimed(found["results"])]
    readme.write_text(before + begin + "\n".join(lines) + "\n" + end + after, encoding="utf-8")


def changes(old, new):
    """What of ours lies outside of what it was, and how far the peers moved meanwhile."""
    before = {(row[0], row[1], row[2]): row for row in rows(old)}
    lines = [("metric", "T", "unit", "was", "is", "change", "")]
    drift = []
    for workload, threads, metric, unit, ours, peers in rows(new):
        row = before.get((workload, threads, metric))
        if not row:
            continue
        was = dict(row[5])
        drift += [value / was[peer] for peer, value in peers if was.get(peer)]
        if max(ours) >= min(row[4]) and min(ours) <= max(row[4]):
            continue
        now, then = statistics.median(ours), statistics.median(row[4])
        better = (now > then) == is_more_better(unit)
        lines.append((metric, str(threads), unit, number(then), number(now),
                      f"{(now / then - 1) * 100:+.0f} %", "better" if better else "worse"))
    said = [columns(lines) if len(lines) > 1 else "nothing changed beyond the spread of the runs"]
    if drift:
        said.append(f"the peers' figures are {statistics.median(drift):.2f} times what they were: "
                    "so much is the machine")
    return "\n".join(said)
