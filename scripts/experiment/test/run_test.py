#!/usr/bin/python3
"""Two points run on QEMU, are kept, and are run again when something changed; runs that go wrong are rows:  run_test.py [DISK]

Prints `ok` and `FAIL` lines.  From the environment: O, where images are made (build).  (DISK is what scripts/test gives; not used.)
"""
import csv
import json
import os
import sys
import tempfile

sys.dont_write_bytecode = True
from helpers import changed, contains, experiment, run_all, tiny, write  # noqa: E402

WORK = tempfile.TemporaryDirectory(prefix="experiment-run-test-")
OUT = f"{WORK.name}/out"


def rows_of(folder):
    with open(f"{folder}/results.csv", encoding="utf-8") as source:
        return list(csv.DictReader(source))


def two_points_run_and_answer():
    status, text = experiment("run", write(WORK.name, tiny()), "--out", OUT)
    assert status == 0, text
    contains(text, "2 runs, 0 of them kept", r"2 of 2 .*: ok", r"arc reads [\d.]+ times fewer blocks than lru", "2 of 2 runs ended well")
    rows = rows_of(OUT)
    assert [(r["policy"], r["end"]) for r in rows] == [("lru", "ok"), ("arc", "ok")]
    assert int(rows[0]["disk_blocks_read"]) > 1.1 * int(rows[1]["disk_blocks_read"]) > 1000, rows
    with open(f"{OUT}/samples.csv", encoding="utf-8") as source:
        assert source.read().splitlines()[1] == "lru,10,1,progress,1,10"


def what_is_done_is_kept_until_something_changes():
    status, text = experiment("run", write(WORK.name, tiny()), "--out", OUT)
    contains(text, "2 runs, 2 of them kept", "2 of 2 runs ended well")
    assert status == 0
    # One of the two is lost; of the other it must be seen that it is not made again.
    lost, kept = (f"{OUT}/points/{r['id']}.json" for r in rows_of(OUT))
    os.unlink(lost)
    with open(kept, encoding="utf-8") as source:
        result = json.load(source)
    result["printed"] = [[name, "1" if name == "disk_blocks_read" else value, *more] for name, value, *more in result["printed"]]
    with open(kept, "w", encoding="utf-8") as out:
        json.dump(result, out)
    _, text = experiment("run", write(WORK.name, tiny()), "--out", OUT)
    contains(text, "2 runs, 1 of them kept", "1 of 1  policy=lru")
    assert rows_of(OUT)[1]["disk_blocks_read"] == "1"


def runs_that_fail_hang_or_crash_are_rows():
    """Each by its axis's value; one is well and stays so."""
    choices = {"what": {"good": "true", "bad": "false", "hang": "sleep 1000000", "crash": "true", "silent": "exit 0"},
               "memory": {"good": "128", "bad": "128", "hang": "128", "crash": "2", "silent": "128"}}
    sections = "".join(f"[choose {name}]\nby = policy\n" + "".join(f"{value} = {text}\n" for value, text in texts.items())
                       for name, texts in choices.items())
    text = changed(("values = lru, arc", f"values = {', '.join(choices['what'])}"), ("seams = buf={policy}\n", ""),
                   ("    sync\n", "    {what}\n"), ("time = 120", "time = 20\nmemory = {memory}"), ("$(seq 0 11)", "0 1"),
                   ("policy=arc", "policy=good"), ("policy=lru", "policy=bad"),
                   ("[metric wall]", f"{sections}[metric wall]"))
    status, said = experiment("run", write(WORK.name, text, "wrong"), "--out", f"{WORK.name}/wrong-out")
    assert status == 1, said
    contains(said, "Not known: a run that this is about failed")
    rows = {r["policy"]: r for r in rows_of(f"{WORK.name}/wrong-out")}
    ends = {name: r["end"] for name, r in rows.items()}
    assert ends == {"good": "ok", "bad": "failed", "hang": "hung", "crash": "crashed", "silent": "failed"}, rows
    contains(rows["hang"]["reason"], "not done after 20 s")
    contains(rows["crash"]["reason"], "freehold: panic: not enough memory")
    contains(rows["silent"]["reason"], "did not print metric disk_blocks_read, progress; what it printed: none")
    for r in rows.values():
        assert os.path.exists(f"{WORK.name}/wrong-out/points/{r['id']}.log")
    with open(f"{WORK.name}/wrong-out/index.html", encoding="utf-8") as source:
        contains(source.read(), 'id="failed"', "policy=bad", f"points/{rows['bad']['id']}.log", "make experiment FILE=")


def a_point_is_run_again_by_its_command():
    folder = write(WORK.name, tiny())
    status, text = experiment("run", folder, "--point", "policy=lru scan=10")
    assert status == 0
    contains(text, r"^--- policy=lru scan=10$", r"^metric progress 1 10$", r"^metric disk_blocks_read \d+$", "^--- ok$")


if __name__ == "__main__":
    with WORK:
        sys.exit(run_all([two_points_run_and_answer, what_is_done_is_kept_until_something_changes, runs_that_fail_hang_or_crash_are_rows,
                          a_point_is_run_again_by_its_command]))
