"""What a trace tells: who ran when, in which calls; what the drives did for whom.

Owns nothing; a Story is made of a Trace once and not changed.  An environment's number is used again
after its end, so each life of it is a lane of its own.  Used by perfetto.py and picture.py.
"""
from bisect import bisect_right
from collections import namedtuple

from records import ASKED, ENDS, OPS, SLEEPS, TAKEN, UPCALLS, VECTORS, Names, of_list

# Times are ns since the trace began.
Span = namedtuple("Span", "start end name args")
Mark = namedtuple("Mark", "ns name sort args")
# A request of lane `who` (None: the kernel): in its queue, on its drive, done; None where that is not known.
Request = namedtuple("Request", "who drive op block count queued start end status")
Message = namedtuple("Message", "ns name sender receiver")  # lanes


class Lane:
    """One life of an environment."""

    def __init__(self, index, name):
        self.index, self.name = index, name
        self.runs, self.calls, self.marks = [], [], []

    def title(self):
        return f"{self.index} {self.name}"


class Story:
    """lanes in the order of their first appearance; requests; messages; slices: CPU slots that began."""

    def __init__(self, trace):
        self.trace, self.names = trace, Names()
        self.begin = trace.records[0].ns if trace.records else 0
        self.end = trace.records[-1].ns - self.begin if trace.records else 0
        self.lanes, self.requests, self.messages, self.slices, self.lost = [], [], [], [], []
        self.living, self.runs, self.since = {}, 0, 0
        self.queued, self.active = {}, {}
        for index, name in trace.names.items():
            self.born(index, name)
        lost = {one.at: one.count for one in trace.lost}
        for number, record in enumerate(trace.records):
            if number in lost:
                self.gap(number, lost[number])
            self.take(record)
        self.off(self.end)
        self.finish()

    # ---- lanes

    def born(self, index, name):
        self.living[index] = Lane(index, name)
        self.lanes.append(self.living[index])

    def lane(self, index):
        if index not in self.living:
            self.born(index, "?")
        return self.living[index]

    def finish(self):
        for index, name in self.trace.late.items():
            self.lane(index).name = name
        self.close_requests()
        self.lanes = [lane for lane in self.lanes if lane.runs or lane.calls or lane.marks]

    def gap(self, number, count):
        """What was lost between two records may have changed everything that is under way."""
        before = self.trace.records[number - 1].ns - self.begin if number else 0
        after = self.trace.records[number].ns - self.begin
        self.lost.append(Span(before, after, f"{count} records lost", {}))
        self.off(before)
        self.runs, self.since = 0, after
        self.close_requests()

    def close_requests(self):
        """Nothing more is known of those that are under way."""
        for open_ones in [*self.queued.values(), list(self.active.values())]:
            self.requests += open_ones
        self.queued, self.active = {}, {}

    # ---- records

    def take(self, record):
        getattr(self, "take_" + record.kind.lower())(record, record.ns - self.begin)

    def mark(self, index, ns, name, sort, **args):
        self.lane(index).marks.append(Mark(ns, name, sort, args))

    def off(self, ns):
        """Who runs does not any more."""
        if self.runs and ns > self.since:
            self.lane(self.runs).runs.append(Span(self.since, ns, self.lane(self.runs).name, {}))

    def on(self, index, ns):
        self.off(ns)
        self.runs, self.since = index, ns
        if index:
            self.lane(index)

    def take_start(self, record, ns):
        self.on(record.env, ns)

    def take_switch(self, record, ns):
        self.on(record.env, ns)

    def take_slice(self, record, ns):
        self.slices.append(Mark(ns, f"slot {record.a}", "slice",
                                {"slot": record.a, "owner": record.b, "runs": record.env, "forfeited": record.detail}))

    def take_call(self, record, ns):
        took = self.trace.ns_of(record.b)
        args = {"status": self.names.status(record.detail)}
        if record.a & SLEEPS:
            args = {"then": "sleeps"}
        self.lane(record.env).calls.append(Span(max(ns - took, self.since), ns, self.names.call(record.a), args))

    def take_fault(self, record, ns):
        self.mark(record.env, ns, f"{VECTORS.get(record.detail, record.detail)} fault", "fault", vector=record.detail)

    def take_upcall(self, record, ns):
        self.mark(record.env, ns, f"upcall: {of_list(UPCALLS, record.detail)}", "upcall")

    def take_ipc_call(self, record, ns):
        self.mark(record.env, ns, f"calls {self.lane(record.a).title()}", "ipc", queues=record.detail)
        if not record.detail:
            self.messages.append(Message(ns, "call", self.lane(record.env), self.lane(record.a)))

    def take_ipc_take(self, record, ns):
        self.mark(record.env, ns, f"takes the call of {self.lane(record.a).title()}", "ipc")
        self.messages.append(Message(ns, "call", self.lane(record.a), self.lane(record.env)))

    def take_ipc_reply(self, record, ns):
        self.mark(record.env, ns, f"answers {self.lane(record.a).title()}", "ipc")
        self.messages.append(Message(ns, "reply", self.lane(record.env), self.lane(record.a)))

    def take_ask(self, record, ns):
        self.mark(record.env, ns, f"asked for {record.a} {of_list(ASKED, record.detail)}", "revoke", by=record.b & 0xFFFF)

    def take_taken(self, record, ns):
        self.mark(record.env, ns, f"loses {TAKEN.get(record.detail, record.detail)} {record.a}", "revoke")

    def take_env_create(self, record, ns):
        self.born(record.env, "?")
        self.mark(record.env, ns, f"made by {self.lane(record.a).title() if record.a else 'nobody'}", "life")

    def take_env_start(self, record, ns):
        self.named(record)
        self.mark(record.env, ns, "starts", "life")

    def take_env_end(self, record, ns):
        self.named(record)
        self.mark(record.env, ns, f"ends: {of_list(ENDS, record.detail)}", "life")

    def take_env_reap(self, record, ns):
        self.mark(record.env, ns, "reaped", "life")
        del self.living[record.env]

    def named(self, record):
        name = (record.b.to_bytes(8, "little") + record.a.to_bytes(4, "little")).split(b"\0")[0]
        if name:
            text = name.decode("ascii", "replace")
            self.lane(record.env).name = "".join(c if c.isprintable() and c != "\ufffd" else "_" for c in text)

    # ---- drives

    def take_io_queue(self, record, ns):
        who = self.lane(record.env) if record.env else None
        request = Request(who, record.a >> 16, of_list(OPS, record.detail), record.b, record.a & 0xFFFF, ns, None, None, None)
        self.queued.setdefault((record.env, *request[1:4]), []).append(request)

    def take_io_start(self, record, ns):
        drive, op, who = record.a >> 16, of_list(OPS, record.detail), self.lane(record.env) if record.env else None
        waiting = self.queued.get((record.env, drive, op, record.b), [])
        queued = waiting.pop(0).queued if waiting else None
        self.active[drive] = Request(who, drive, op, record.b, record.a & 0xFFFF, queued, ns, None, None)

    def take_io_done(self, record, ns):
        drive = record.a >> 16
        request = self.active.pop(drive, None)
        if request is None:
            return  # it began before the trace did
        self.requests.append(request._replace(end=ns, status=self.names.status(record.detail)))

    def receiver_runs(self, message):
        """When the receiver of a message has the CPU at or after it; None: not in this trace."""
        runs = message.receiver.runs
        at = bisect_right(runs, message.ns, key=lambda run: run.end)
        return max(runs[at].start, message.ns) if at < len(runs) else None
