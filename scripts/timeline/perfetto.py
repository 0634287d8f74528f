"""A Story as trace-event JSON, which Perfetto and chrome://tracing open; and what such a file must be.

Owns nothing.  judge() is the format's rules as code, for what is written here: every file is judged
before it is written.  Times in the file are microseconds.  Called by timeline and its test.
"""
from story import Span

ENVS, DISKS, CPU = 1, 2, 3  # "processes" of the viewer
REQUIRED = {"B": ("name", "ts"), "E": ("ts",), "X": ("name", "ts", "dur"), "i": ("name", "ts", "s"),
            "M": ("name", "args"), "b": ("name", "ts", "cat", "id"), "e": ("name", "ts", "cat", "id"),
            "s": ("name", "ts", "cat", "id"), "f": ("name", "ts", "cat", "id", "bp")}
META = {"process_name": "name", "thread_name": "name", "process_sort_index": "sort_index",
        "thread_sort_index": "sort_index"}
SLACK = 0.0015  # of two times, in which rounding may differ


def us(ns):
    return round(ns / 1000, 3)


class Writer:
    """Collects events; the order among those of one track is made at the end."""

    def __init__(self):
        self.meta, self.events = [], []

    def name(self, pid, tid, name):
        if tid is None:
            self.meta += [{"ph": "M", "pid": pid, "tid": 0, "name": "process_name", "args": {"name": name}},
                          {"ph": "M", "pid": pid, "tid": 0, "name": "process_sort_index", "args": {"sort_index": pid}}]
        else:
            self.meta += [{"ph": "M", "pid": pid, "tid": tid, "name": "thread_name", "args": {"name": name}},
                          {"ph": "M", "pid": pid, "tid": tid, "name": "thread_sort_index", "args": {"sort_index": tid}}]

    def put(self, rank, ph, pid, tid, ns, **fields):
        """rank orders events of one time: what ends, what begins, what is inside."""
        self.events.append(((ns, rank), {"ph": ph, "pid": pid, "tid": tid, "ts": us(ns), **fields}))

    def span(self, pid, tid, span, cat):
        self.put(1, "B", pid, tid, span.start, name=span.name, cat=cat, args=span.args)
        self.put(0, "E", pid, tid, span.end)

    def done(self):
        return self.meta + [event for _, event in sorted(self.events, key=lambda one: one[0])]


def put_lane(out, tid, lane):
    out.name(ENVS, tid, lane.title())
    for run in lane.runs:
        out.span(ENVS, tid, run, "run")
    for call in lane.calls:
        out.put(2, "X", ENVS, tid, call.start, name=call.name, cat="call", dur=us(call.end - call.start), args=call.args)
    for mark in lane.marks:
        out.put(3, "i", ENVS, tid, mark.ns, name=mark.name, cat=mark.sort, s="t", args=mark.args)


def told_of(request):
    who = request.who.title() if request.who else "kernel"
    return {"environment": who, "block": request.block, "blocks": request.count, "status": request.status}


def put_request(out, number, request):
    """The request from its queue to its end, and what the drive did of that."""
    name, at = f"{request.op} {request.block}+{request.count}", (DISKS, request.drive)
    if request.end is None:
        return  # it was under way when the trace ended
    out.span(*at, Span(request.start, request.end, request.op, told_of(request)), "drive")
    if request.queued is not None:
        out.put(2, "b", *at, request.queued, name=name, cat="request", id=number, args=told_of(request))
        out.put(2, "e", *at, request.end, name=name, cat="request", id=number)


def put_messages(out, story, tids):
    for number, message in enumerate(story.messages):
        came = story.receiver_runs(message)
        if came is not None:
            out.put(2, "s", ENVS, tids[id(message.sender)], message.ns, name=message.name, cat="ipc", id=number)
            out.put(2, "f", ENVS, tids[id(message.receiver)], came, name=message.name, cat="ipc", id=number, bp="e")


def document(story, told):
    """The JSON of a story; `told` is what else the file shall say."""
    out = Writer()
    for pid, name in ((ENVS, "environments"), (DISKS, "drives"), (CPU, "CPU")):
        out.name(pid, None, name)
    out.name(CPU, 0, "slices")
    tids = {id(lane): tid for tid, lane in enumerate(story.lanes, 1)}
    for lane in story.lanes:
        put_lane(out, tids[id(lane)], lane)
    for drive, model in story.trace.drives.items():
        out.name(DISKS, drive, f"drive {drive} {model}")
    for number, request in enumerate(story.requests):
        put_request(out, number, request)
    put_messages(out, story, tids)
    for mark in story.slices:
        out.put(3, "i", CPU, 0, mark.ns, name=mark.name, cat="slice", s="t", args=mark.args)
    for gap in story.lost:
        out.put(3, "i", CPU, 0, gap.start, name=gap.name, cat="lost", s="g", args={})
    return {"traceEvents": out.done(), "displayTimeUnit": "ns", "otherData": told}


# ---- what the format asks --------------------------------------------------------------------------


def wrong_fields(event):
    """What is wrong with one event by itself; empty: nothing."""
    ph = event.get("ph")
    if ph not in REQUIRED:
        return f"ph {ph!r}"
    missing = [field for field in ("pid", "tid", *REQUIRED[ph]) if field not in event]
    if missing:
        return f"{ph} lacks {', '.join(missing)}"
    if ph == "M":
        return "" if META.get(event["name"]) in event["args"] else f"metadata {event['name']!r}"
    if not isinstance(event["ts"], (int, float)) or event["ts"] < 0 or event.get("dur", 0) < 0:
        return f"{ph} at {event['ts']!r} for {event.get('dur', 0)!r}"
    if ph == "i" and event["s"] not in ("g", "p", "t"):
        return f"scope {event['s']!r}"
    return ""


class Track:
    """The slices that are open on one track: B until their E, X until their time is over."""

    def __init__(self):
        self.last, self.open = 0, []

    def take(self, event):
        """What is wrong with the next event of the track; empty: nothing."""
        ts, ph = event["ts"], event["ph"]
        if ts < self.last:
            return f"goes back from {self.last} to {ts}"
        self.last = ts
        while self.open and self.open[-1] is not None and self.open[-1] <= ts + SLACK and ph in "BEX":
            self.open.pop()
        if ph == "E":
            return "" if self.open and self.open.pop() is None else "E that ends no B"
        if ph == "B":
            if self.open and self.open[-1] is not None:
                return "B inside of an X"
            self.open.append(None)
        if ph == "X":
            return self.enter(ts + event["dur"])
        return ""

    def enter(self, end):
        outer = self.open[-1] if self.open else None
        if outer is not None and end > outer + SLACK:
            return "X that ends after the one around it"
        self.open.append(end)
        return ""


def judge_pairs(events, begin, end):
    """b and e, s and f: each begun once, then ended once, by category and id."""
    begun, wrong = {}, []
    for event in events:
        key = (event.get("cat"), event.get("id"), event.get("name"))
        if event["ph"] == begin:
            wrong += [f"{begin} {key} twice"] if key in begun else []
            begun[key] = event["ts"]
        elif event["ph"] == end:
            since = begun.pop(key, None)
            wrong += [] if since is not None and since <= event["ts"] else [f"{end} {key} without {begin} before it"]
    return wrong + [f"{begin} {key} without {end}" for key in begun]


def judge(whole):
    """Every way in which this is not a trace that viewers read as it is meant."""
    events = whole.get("traceEvents")
    if not isinstance(events, list):
        return ["no list traceEvents"]
    wrong = [f"event {number}: {why}" for number, event in enumerate(events) for why in [wrong_fields(event)] if why]
    if wrong:
        return wrong
    tracks, named = {}, set()
    for number, event in enumerate(events):
        at = (event["pid"], event["tid"])
        if event["ph"] == "M":
            named.add(at if event["name"] == "thread_name" else (event["pid"], None))
            continue
        why = tracks.setdefault(at, Track()).take(event) if event["ph"] in "BEXi" else ""
        wrong += [f"event {number}, track {at}: {why}"] if why else []
    wrong += [f"track {at}: B without E" for at, track in tracks.items() if None in track.open]
    wrong += [f"track {at} has no name" for at in tracks if at not in named or (at[0], None) not in named]
    return wrong + judge_pairs(events, "b", "e") + judge_pairs(events, "s", "f")
