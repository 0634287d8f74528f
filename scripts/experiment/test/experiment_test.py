#!/usr/bin/python3
"""What is wrong with an experiment's file is refused before anything is built; points, conditions, factors and plots are
right.  No machine runs.  Prints `ok` and `FAIL` lines.
"""
import glob
import sys
import tempfile
import xml.etree.ElementTree

sys.dont_write_bytecode = True
from helpers import changed, contains, experiment, run_all, write  # noqa: E402
import emulator  # noqa: E402  (helpers knows where)
import build  # noqa: E402
import point as one_point  # noqa: E402
import results  # noqa: E402
import spec  # noqa: E402
import svg  # noqa: E402

WORK = tempfile.TemporaryDirectory(prefix="experiment-test-")

# What is changed in a file that is right, and what is said then.
REFUSED = [
    (("seams =", "seems ="), r"\[experiment\]: there is no seems; there are: command, emulator,.* seams"),
    (("[axis scan]", "[axle scan]"), r"\[axle scan\]: there is no such section; there are: experiment, axis NAME"),
    (("title =", "# title ="), r"\[experiment\]: title is missing"),
    (("values = lru, arc", "values = ,"), r"\[axis policy\]: values is empty"),
    (("values = lru, arc", "values = lru, lru"), r"has one of them twice"),
    (("values = lru, arc", "values = lru, a b"), r"a value has no blanks"),
    (("buf={policy}", "buf={polici}"), r"what is \{polici\}\?  There are: policy, scan"),
    (("seams = buf={policy}\n", ""), r"\[axis policy\]: \{policy\} is used nowhere"),
    (("values = lru, arc", "values = lru, arcc, arc"),
     r"seams: there is no buf=arcc; there are: buf=arc .*buf=lru.* and files of your own"),
    (("seams = buf", "seams = buff"), r"seams: LIBOS has 'buff=lru'; seams of posix are: fs buf order vm"),
    (("time = 120", "programs = nix"), r"programs: there is no program nix; there are: .*cat, .*measure"),
    (("time = 120", "time = 120\n[libos]\nnix = posix"), r"\[libos\]: there is no program nix; there are: .*cat, "),
    (("time = 120", "time = 120\n[libos]\ncat = posix vm=nix"), r"cat: there is no vm=nix; there are: vm=demand vm=eager"),
    (("time = 120", "time = soon"), r"time=soon: it is a whole number"),
    (("time = 120", "memory = {policy}"), r"memory=lru: it is a number of MiB"),
    (("time = 120", "emulator = vmware"), r"there is no emulator=vmware; there are: qemu, bochs, qemu-wall"),
    (("time = 120", "manifest = nix"), r"manifest: .*nix is not there"),
    (("time = 120", "skip = policy=lru,arc"), r"every point is skipped"),
    (("time = 120", "skip = policy=lru"), r"\[answer gain\]: than is about no point"),
    (("time = 120", "time = 120\n[choose x]\nby = policy\nlru = 1"), r"\[choose x\]: it says nothing for policy=arc"),
    (("[metric wall]", "[metric wal]"), r"\[metric wal\]: unit and exact are missing; those of these metrics are known: .*wall"),
    (("exact = yes", "exact = maybe"), r"there is no exact=maybe; there are: yes, no"),
    (("y = disk_blocks_read", "y = reads"), r"\[plot reads\]: there is no y=reads; there are: disk_blocks_read, wall"),
    (("x = policy", "x = police"), r"there is no x=police; there are: policy, scan"),
    (("x = policy\ny = disk_blocks_read\nwhere = scan=10", "x = scan\ny = disk_blocks_read"),
     r"policy is left open: make it lines or panels"),
    (("x = policy\ny", "x = policy\nlog = x\ny"), r"the values of policy are not all numbers"),
    (("better = policy=arc", "better = policy=mru"), r"policy is never 'mru'; it is: lru, arc"),
    (("better = policy=arc", "better = police=arc"), r"'police=arc' is not AXIS=VALUE; axes are: policy, scan"),
    (("metric = disk_blocks_read", "metric = wall"), r"there is no metric=wall; there are: disk_blocks_read"),
    (("{factor}", "{faktor}"), r"what is \{faktor\}\?  There are: factor"),
    (("time = 120", "time"), r"parsing errors"),
]


def refusal(text):
    """What is said of a file before anything is made."""
    try:
        found = spec.Experiment(write(WORK.name, text, "bad"))
        build.check_names(found, found.all_needs())
    except emulator.Refused as said:
        return str(said)
    raise AssertionError(f"not refused: {text}")


def bad_files_are_refused_with_what_is_right():
    for change, wanted in REFUSED:
        contains(refusal(changed(change)), wanted)


def a_circle_of_choices_is_refused():
    circle = ("time = 120", "time = 120\n[choose x]\nby = policy\nlru = {x}\narc = {x}")
    contains(refusal(changed(circle, ("bufctl -d", "bufctl {x}"))), "name each other in a circle")


def a_refusal_is_one_line_and_status_2():
    status, text = experiment("run", write(WORK.name, changed(("[metric wall]", "[metric wal]")), "bad"))
    assert status == 2 and text.count("\n") == 1 and text.startswith("experiment: /"), text


def no_file_is_refused_with_a_list():
    status, text = experiment("run", f"{WORK.name}/nix")
    assert status == 2
    contains(text, "nix is not there: FILE is a file, or one of ours: ")


def those_of_the_tree_are_right():
    paths = glob.glob("apps/experiments/*/experiment.ini")
    assert paths
    for path in paths:
        found = spec.Experiment(path)
        build.check_names(found, found.all_needs())


def loaded(*pairs):
    return spec.Experiment(write(WORK.name, changed(*pairs), "loaded"))


def points_are_all_combinations_but_those_skipped():
    found = loaded(("values = 10", "values = 5, 10"), ("time = 120", "seeds = 1, 2\nskip = policy=arc scan=5\n    seed=2 policy=lru"),
                   ("{scan} skip", "{scan} seed={seed} skip"))
    assert [spec.told(point) for point in found.points] == [
        "policy=lru scan=5 seed=1", "policy=lru scan=10 seed=1", "policy=arc scan=10 seed=1", "policy=arc scan=10 seed=2"]
    assert found.condition("scan=10 seed=1") == [found.points[1], found.points[2]]


def braces_are_replaced_and_the_shell_s_are_not():
    found = loaded(("bufctl -d", "echo ${policy} {own} {policy}"),
                   ("time = 120", "time = 120\n[choose own]\nby = policy\nlru = a{scan}\narc = b"))
    assert found.fill("${policy} {own} {policy}", found.points[0]) == "${policy} a10 lru"
    assert found.fill("{own}", found.points[1]) == "b"


def files_of_variants_are_found_beside_the_experiment():
    found = loaded(("buf={policy}", "fs=ext2,./f.c buf=./{policy}.c"))
    assert found.needs(found.points[0])["SEAMS"] == f"fs=ext2,{found.folder}/f.c buf={found.folder}/lru.c"


def row(point, values, end="ok", repetition=1, series=None):
    return results.Row(point, repetition, "0" * 16, end, "", {"wall": "1", **values}, series or {"progress": [("1", "2")]}, 1.0, "host")


def measured(found, reads, repeat=1):
    """Results in which each point read what reads(point, repetition) says; None: it failed."""
    rows = [row(point, {"disk_blocks_read": str(reads(point, n))} if reads(point, n) is not None else {},
                "ok" if reads(point, n) is not None else "hung", n) for point in found.points for n in range(1, repeat + 1)]
    return results.Results(found, rows)


def factors_compare_the_best_of_each_side():
    found = loaded(("lru, arc", "lru, arc, mru, clock"), ("better = policy=arc", "better = policy=arc,mru"),
                   ("than = policy=lru", "than = policy=lru,clock"))
    reads = {"lru": 900, "clock": 800, "arc": 500, "mru": 200}
    text, factor, holds = measured(found, lambda point, n: reads[point["policy"]]).answered(found.answers[0])
    assert factor == 4 and holds, (factor, holds)
    contains(text, "mru reads 4 times fewer blocks than clock: 200, not 800")
    text, factor, _ = measured(found, lambda point, n: 0 if point["policy"] == "arc" else 7).answered(found.answers[0])
    assert factor == float("inf") and "∞" in text, (factor, text)
    _, factor, holds = measured(found, lambda point, n: 1000 - reads[point["policy"]]).answered(found.answers[0])
    assert factor == 0.2 and not holds, factor


def more_may_be_better_and_seeds_are_averaged():
    found = loaded(("better = less", "better = more"), ("time = 120", "seeds = 1, 2"), ("{scan} skip", "{scan} seed={seed} skip"))
    both = {("arc", "1"): 30, ("arc", "2"): 50, ("lru", "1"): 10, ("lru", "2"): 30}
    _, factor, _ = measured(found, lambda point, n: both[point["policy"], point["seed"]]).answered(found.answers[0])
    assert factor == 2, factor


def a_factor_against_nothing_is_infinite():
    found = loaded()
    text, factor, holds = measured(found, lambda point, n: 5 if point["policy"] == "lru" else 0).answered(found.answers[0])
    assert factor == float("inf") and holds and "∞ times" in text, text
    _, factor, holds = measured(found, lambda point, n: 0).answered(found.answers[0])
    assert factor == 1 and not holds


def a_failed_run_makes_its_answer_unknown():
    found = loaded()
    text, factor, holds = measured(found, lambda point, n: 5 if point["policy"] == "lru" else None).answered(found.answers[0])
    assert factor is None and not holds and text.startswith("Not known")


def what_is_said_to_be_exact_is_compared():
    found = loaded(("time = 120", "repeat = 3"))
    same = measured(found, lambda point, n: 7, 3)
    other = measured(found, lambda point, n: 7 + (n == 3 and point["policy"] == "arc"), 3)
    assert same.unequal("disk_blocks_read") == [] and other.unequal("disk_blocks_read") == ["policy=arc scan=10"]


def what_a_run_prints_must_be_all_that_is_declared():
    found = loaded()
    whole = [["disk_blocks_read", "5"], ["progress", "1", "2"], ["other", "5"]]
    cases = [(whole, "ok", ""), (whole[1:], "failed", "did not print metric disk_blocks_read; what it printed: other, progress"),
             (whole + whole[:1], "failed", "disk_blocks_read was printed twice"),
             (whole + [["progress", "x", "1"]], "failed", "is no number"),
             (whole + [["progress", "1"]], "failed", "with 1 numbers")]
    for printed, end, why in cases:
        result = {"end": "ok", "reason": "", "printed": printed, "wall": 1.5, "host": "here"}
        got = results.row_of(found.metrics, found.points[0], 1, {"id": "x"}, result)
        assert got.end == end and why in got.reason, (got, why)


def metric_lines_are_found_among_others():
    text = "metric a 5\nmy metric b 6\nmetric c 1 2.5\n metric d 7\nmetric e 1 2 3\nmetric f -1e3  \n"
    assert one_point.LINE.findall(text) == [("a", "5", ""), ("c", "1", "2.5"), ("f", "-1e3", "")]


def elements(text, name):
    tree = xml.etree.ElementTree.fromstring(text)
    return [node for node in tree.iter() if node.get("class") == name]


def plots_show_every_curve_bar_and_failure():
    curves = [svg.Curve("a<b", [(1.0, 5, 4, 6, "tip"), (2.0, 7, 7, 7, "tip")], [(3.0, "hung")]),
              svg.Curve("b", [(1.0, 50, 50, 50, "tip")], [])]
    text = svg.draw("title & more", "x", "y", curves, log=("y",))
    assert [len(elements(text, name)) for name in ("curve", "mark", "bar", "failed")] == [2, 5, 0, 1]  # a mark in the legend each
    bars = svg.draw("t", "x", "y", [svg.Curve("", [("lru", 5, 5, 5, ""), ("arc", 0, 0, 0, "")], [])], bars=True)
    assert len(elements(bars, "bar")) == 2 and not elements(bars, "curve")
    for log in ((), ("x", "y")):
        assert "nothing" in svg.draw("nothing", "x", "y", [], log=log)


def places_on_an_axis_are_where_they_belong():
    assert svg.Axis(0, 10, 100, 200).at(5) == 150
    assert svg.Axis(1, 100, 0, 100, log=True).at(10) == 50
    assert svg.Axis(0, 0, 0, 90, names=("a", "b", "c")).at("b") == 45
    assert svg.linear(0, 1000, 6) == [0, 200, 400, 600, 800, 1000]
    assert [svg.short(value) for value in (5, 1500, 20000, 3.5e6)] == ["5", "1,500", "20k", "3.5M"]


if __name__ == "__main__":
    with WORK:
        sys.exit(run_all([
            bad_files_are_refused_with_what_is_right, a_circle_of_choices_is_refused, a_refusal_is_one_line_and_status_2,
            no_file_is_refused_with_a_list, those_of_the_tree_are_right, points_are_all_combinations_but_those_skipped, braces_are_replaced_and_the_shell_s_are_not,
            a_factor_against_nothing_is_infinite, files_of_variants_are_found_beside_the_experiment,
            factors_compare_the_best_of_each_side, more_may_be_better_and_seeds_are_averaged, a_failed_run_makes_its_answer_unknown,
            what_is_said_to_be_exact_is_compared, what_a_run_prints_must_be_all_that_is_declared, metric_lines_are_found_among_others,
            plots_show_every_curve_bar_and_failure, places_on_an_axis_are_where_they_belong]))
