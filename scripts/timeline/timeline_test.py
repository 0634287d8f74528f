#!/usr/bin/python3
"""Tests of scripts/timeline: what a trace is taken for, what is refused, what the files must be.

Prints `ok NAME` or `FAIL NAME: why` for each; run from the top folder.  Traces are written here by hand,
a record at each microsecond of a TSC of 1 GHz, so that times are known.
"""
import copy
import json
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

sys.dont_write_bytecode = True
sys.path.insert(0, "scripts")
sys.path.insert(0, "scripts/timeline")
import perfetto  # noqa: E402  (only after bytecode is off: nothing is made beside the sources)
import picture  # noqa: E402
import records  # noqa: E402
import story  # noqa: E402

NUMBER = {name: number for number, name in records.kinds().items()}
CALL = {name: number for number, name in enumerate(records.Names().calls)}
HEAD = "freehold-trace 1 build={build:x} hz=3b9aca00 base=0\ndrive 0 1000 A_DISK\nenv 1 init 0\nenv 2 sh 1\n"


def text(*happened, build=7, late="late 1 init 0\nlate 2 sh 1\n", lost_after=None):
    """A trace of (kind, env, detail, a, b), 1000 ticks apart; `lost` 5 after record lost_after."""
    lines = []
    for number, fields in enumerate(happened):
        kind, *rest = fields
        lines.append(f"{1000:x} {NUMBER[kind]:x}" + "".join(f" {field:x}" for field in rest) + "\n")
        if number == lost_after:
            lines.append("lost 5\n")
    lost = 5 if lost_after is not None else 0
    return HEAD.format(build=build) + late + "".join(lines) + f"end {len(happened):x} {lost:x}\n"


# 2 runs, makes 3 and is asleep; 3 starts, faults, calls 2, waits for the disk, ends; 1 reaps it.
LIFE = [("START", 2, 0, 8192), ("CALL", 2, 0, CALL["null"], 500), ("ENV_CREATE", 3, 0, 2), ("ENV_START", 3, 0, 0, 0x617461),
        ("CALL", 2, 0, CALL["wait"] | 65536, 400), ("SWITCH", 3, 0, 2), ("FAULT", 3, 14), ("UPCALL", 3, 1),
        ("IO_QUEUE", 3, 1, 4, 700), ("IO_START", 3, 1, 4, 700), ("SWITCH", 0, 0, 3), ("SLICE", 0, 0, 9, 2),
        ("IO_DONE", 3, 0, 4, 700), ("SWITCH", 3, 0, 0), ("IPC_CALL", 3, 0, 2), ("CALL", 3, 0, CALL["ipc_call"] | 65536, 300),
        ("SWITCH", 2, 0, 3), ("IPC_REPLY", 2, 0, 3), ("CALL", 2, 0, CALL["ipc_reply_wait"] | 65536, 300), ("SWITCH", 3, 0, 2),
        ("ASK", 3, 0, 5, 65537), ("TAKEN", 3, 0, 77), ("IPC_TAKE", 3, 0, 1), ("ENV_END", 3, 1, 0, 0x61746164), ("SWITCH", 1, 0, 3),
        ("ENV_REAP", 3), ("ENV_CREATE", 3, 0, 1), ("ENV_START", 3, 0, 0x6c, 0x6b6a696867666564)]


def told(*happened, **how):
    return story.Story(records.read(text(*happened, **how)))


def lane(whole, title):
    return next(one for one in whole.lanes if one.title() == title)


def refused(words, source):
    """None when reading it is refused with these words."""
    try:
        records.read(source)
    except records.Refused as why:
        return None if words in str(why) else f"refused, but: {why}"
    return f"`{words}` was not refused"


# ---- reading -------------------------------------------------------------------------------------


def test_all_kinds_are_told():
    missing = [name for name in NUMBER if not hasattr(story.Story, "take_" + name.lower())]
    unused = [name for name in NUMBER if name not in {kind for kind, *_ in LIFE}]
    assert not missing and not unused, f"{missing} {unused}"


def test_record_is_read():
    trace = records.read(text(("CALL", 2, 4, 20, 0x1F4)))
    assert trace.records == [records.Record(1000, "CALL", 2, 4, 20, 500)], trace.records
    assert trace.names == {1: "init", 2: "sh"} and trace.drives == {0: "A_DISK"}


def test_bad_traces_are_refused():
    good = text(*LIFE)
    wrong = [refused("does not begin", "hello\n"), refused("does not begin", ""),
             refused("version 2", good.replace("trace 1", "trace 2", 1)),
             refused("cut off", good[:good.rindex("end")]), refused("goes on after its end", good + "3e8 1\n"),
             refused("records", good.replace(f"end {len(LIFE):x} 0", f"end {len(LIFE) + 1:x} 0")),
             refused("lost", good.replace(f"end {len(LIFE):x} 0", f"end {len(LIFE):x} 3")),
             refused("kind 255", good.replace("\nend", "\n3e8 ff\nend")),
             refused("not a line", good.replace("\nend", "\n3e8 zz\nend")),
             refused("two to six", good.replace("\nend", "\n3e8 1 2 3 4 5 6\nend")),
             refused("trace:3:", good.replace("env 1 init 0", "env x init 0")),
             refused("hz=0", good.replace("hz=3b9aca00", "hz=0"))]
    assert not any(wrong), [why for why in wrong if why]


def test_crc_is_the_kernels():
    assert records.crc32c(b"123456789") == 0xE3069283


def test_another_build_is_refused():
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "kernel.bin"), "wb") as file:
            file.write(b"123456789")
        with open(os.path.join(folder, "kernel.bytes"), "w", encoding="ascii") as file:
            file.write("4660\n")
        records.check_build(records.read(text(*LIFE, build=0xE306928300001234)), ["/none", folder])
        for build, folders, words in ((7, [folder], "trace again"), (7, ["/none"], "no kernel in")):
            try:
                records.check_build(records.read(text(*LIFE, build=build)), folders)
            except records.Refused as why:
                assert words in str(why), why
            else:
                raise AssertionError(f"{words}: not refused")


# ---- what it tells -------------------------------------------------------------------------------


def test_who_ran_when():
    whole = told(*LIFE)
    assert [one.title() for one in whole.lanes] == ["1 init", "2 sh", "3 data", "3 defghijkl"], [one.title() for one in whole.lanes]
    assert [(run.start, run.end) for run in lane(whole, "2 sh").runs] == [(0, 5000), (16000, 19000)]
    assert [(run.start, run.end) for run in lane(whole, "3 data").runs] == [(5000, 10000), (13000, 16000), (19000, 24000)]
    assert sum(mark.sort == "fault" for mark in lane(whole, "3 data").marks) == 1


def test_calls_lie_inside_of_runs():
    calls = lane(told(*LIFE), "2 sh").calls
    assert [(call.start, call.end, call.name) for call in calls] == [(500, 1000, "null"), (3600, 4000, "wait"),
                                                                      (17700, 18000, "ipc_reply_wait")], calls
    assert calls[0].args == {"status": "OK"} and calls[1].args == {"then": "sleeps"}


def test_disk():
    whole = told(*LIFE)
    request, = whole.requests
    assert (request.queued, request.start, request.end, request.op, request.status) == (8000, 9000, 12000, "read", "OK")
    assert request.who is lane(whole, "3 data")


def test_request_that_does_not_end():
    whole = told(*LIFE[:10])
    assert whole.requests[0].end is None and not perfetto.judge(perfetto.document(whole, {}))


def test_loss_ends_what_was_under_way():
    whole = told(*LIFE, lost_after=7)
    assert [(gap.start, gap.end) for gap in whole.lost] == [(7000, 8000)]
    assert (5000, 7000) in [(run.start, run.end) for run in lane(whole, "3 data").runs]
    assert not perfetto.judge(perfetto.document(whole, {}))


def test_call_does_not_begin_before_a_loss():
    whole = told(("START", 2, 0, 128), ("SWITCH", 3, 0, 2), ("CALL", 3, 0, CALL["null"], 9000), lost_after=1)
    assert [(call.start, call.end) for call in lane(whole, "3 ?").calls] == [(2000, 2000)]
    assert not perfetto.judge(perfetto.document(whole, {}))


def test_empty_trace():
    assert not perfetto.judge(perfetto.document(told(), {})) and xml.fromstring(picture.svg(told(), "nothing"))


# ---- the files -----------------------------------------------------------------------------------


def document():
    return json.loads(json.dumps(perfetto.document(told(*LIFE), {"title": "a life"})))


def test_json_is_well_formed():
    whole = document()
    assert not perfetto.judge(whole), perfetto.judge(whole)
    assert {event["ph"] for event in whole["traceEvents"]} == set(perfetto.REQUIRED)


def spoil(change):
    """A document that `change` has spoiled, and whether that is noticed."""
    whole = document()
    change(whole["traceEvents"])
    return bool(perfetto.judge(whole))


def pick(events, ph, number=0):
    return [event for event in events if event["ph"] == ph][number]


def test_mistakes_are_noticed():
    """One of each rule of the format."""
    changes = {f"{ph} without {field}": lambda events, ph=ph, field=field: pick(events, ph).pop(field)
               for ph, fields in perfetto.REQUIRED.items() for field in (*fields, "pid", "tid")}
    changes.update({
        "unknown ph": lambda events: pick(events, "B").update(ph="Q"),
        "B without E": lambda events: events.remove(pick(events, "E")),
        "E without B": lambda events: events.remove(pick(events, "B")),
        "time goes back": lambda events: pick(events, "i", 3).update(ts=0.0001),
        "negative duration": lambda events: pick(events, "X").update(dur=-1),
        "time is a text": lambda events: pick(events, "X").update(ts="1"),
        "X beyond the X around it": lambda events: events.insert(
            events.index(pick(events, "X")) + 1, {**copy.copy(pick(events, "X")), "dur": pick(events, "X")["dur"] + 9}),
        "B inside of an X": lambda events: events.insert(
            events.index(pick(events, "X")) + 1, {**copy.copy(pick(events, "X")), "ph": "B"}),
        "scope": lambda events: pick(events, "i").update(s="x"),
        "metadata": lambda events: pick(events, "M").update(name="color"),
        "a track without a name": lambda events: events.remove(
            next(event for event in events if event.get("name") == "thread_name")),
        "e without b": lambda events: events.remove(pick(events, "b")),
        "b without e": lambda events: events.remove(pick(events, "e")),
        "f of another id": lambda events: pick(events, "f").update(id=999),
        "s twice": lambda events: events.append(pick(events, "s")),
    })
    missed = [name for name, change in changes.items() if not spoil(change)]
    assert not missed, f"not noticed: {missed}"
    assert perfetto.judge({}) and not spoil(lambda events: None)


def test_picture_names_its_lanes():
    root = xml.fromstring(picture.svg(told(*LIFE), "a & <life>"))
    words = [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"a & <life>", "1 init", "2 sh", "3 data", "drive 0", "faults", "runs"} <= set(words), words
    assert any(re.fullmatch(r"0 ns|5 µs|\d+ µs", word) for word in words), words
    width = int(root.get("width"))
    for one in root.iter("{http://www.w3.org/2000/svg}rect"):
        assert float(one.get("x")) + float(one.get("width")) <= width, one.attrib


def test_axis_steps():
    assert [picture.nice(ns) for ns in (1, 2, 3, 7, 40, 125, 999, 31250000)] == [1, 2, 5, 10, 50, 200, 1000, 50000000]


def test_only_the_longest_lanes_are_drawn():
    many = [("START", 2, 0, 128)] + [("SWITCH", 3 + n % 80, 0, 2 + n % 80) for n in range(400)]
    whole = told(*many)
    svg = picture.svg(whole, "many")
    assert len(picture.drawn(whole)) == picture.MOST_LANES and "lanes that ran shortest are left out" in svg


def run(*arguments, **environment):
    return subprocess.run(["scripts/timeline/timeline", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          text=True, env={**os.environ, **environment})


def test_tool_refuses():
    with tempfile.TemporaryDirectory() as folder:
        old = os.path.join(folder, "old")
        with open(old, "w", encoding="ascii") as file:
            file.write(text(*LIFE, build=1))
        for done, words in ((run(), "either --image"), (run("/none"), "No such file"),
                            (run("--out", folder, "scripts/timeline/timeline"), "this is no trace"),
                            (run("--out", folder, "--kernel", "/none", old), "no kernel"),
                            (run("--out", folder, "--image", "/none"), "CMD='...' says what")):
            assert done.returncode != 0 and words in done.stdout, f"{done.args}: {done.returncode} {done.stdout}"


def main():
    failed = 0
    for name, test in [(name[5:], test) for name, test in globals().items() if name.startswith("test_")]:
        try:
            test()
            print(f"ok timeline {name}")
        except (AssertionError, records.Refused) as why:
            failed += 1
            print(f"FAIL timeline {name}: {why}")
    return 1 if failed else 0


sys.exit(main())
