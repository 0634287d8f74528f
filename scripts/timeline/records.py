"""A trace as apps/trace writes it: reading it, with the names of what is in it.

Owns: the form of the text (see the head of apps/trace/trace.c).  What numbers mean comes from the
kernel's own tables, trace.def, syscall.def and status.def, so a trace of another kernel cannot be read:
check_build() refuses it.  Run from the top folder.  Used by the other files here.
"""
import os
import re
from collections import namedtuple

import abi_table

SLEEPS = 1 << 16  # in the number of a call
VECTORS = {0: "divide", 1: "step", 3: "breakpoint", 4: "overflow", 6: "bad instruction", 7: "no FPU", 13: "protection",
           14: "page", 16: "x87", 17: "alignment", 19: "SIMD"}
UPCALLS = ["fault", "event", "slice begins", "slice ends"]
OPS = ["?", "read", "write", "flush", "clear"]
ENDS = ["none", "exit", "killed", "fault", "fault in upcall", "no upcall stack"]
ASKED = ["pages", "CPU slots", "extent"]
TAKEN = {0: "page", 1: "CPU slot", 4: "extent", 16: "mapping"}

# ns is since boot; kind is a name; details are numbers as trace.def says.
Record = namedtuple("Record", "ns kind env detail a b")
# at: index of the record before which `count` are missing.
Lost = namedtuple("Lost", "at count")


class Refused(Exception):
    """A trace that cannot be read: the text says where and why."""


class Trace:
    """build and hz of the machine; drives and names by number; records; where some are lost."""

    def __init__(self):
        self.build, self.hz, self.base = 0, 1, 0
        self.drives, self.names, self.late, self.records, self.lost = {}, {}, {}, [], []

    def ns_of(self, ticks):
        return ticks * 1_000_000_000 // self.hz


def kinds():
    """Names of kinds by number."""
    return {number: name for number, name, *_ in abi_table.traces()}


class Names:
    """Calls, statuses and the like, as people call them."""

    def __init__(self):
        self.calls = [call.name for call in abi_table.calls()]
        self.statuses = {number: name for name, number, _ in abi_table.statuses()}

    def call(self, number):
        number &= SLEEPS - 1
        return self.calls[number] if number < len(self.calls) else f"call {number}"

    def status(self, number):
        return self.statuses.get(number, f"status {number}")


def of_list(names, number):
    return names[number] if number < len(names) else str(number)


# ---- the build -----------------------------------------------------------------------------------


def crc32c(data):
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def build_of(folder):
    """The build of the kernel in a folder, as the kernel itself says it; None where there is no kernel."""
    try:
        with open(os.path.join(folder, "kernel.bin"), "rb") as image, \
                open(os.path.join(folder, "kernel.bytes"), encoding="ascii") as size:
            return crc32c(image.read()) << 32 | int(size.read()) & 0xFFFFFFFF
    except OSError:
        return None


def check_build(trace, folders):
    """Refuses a trace of a kernel that is in none of the folders."""
    builds = [build for build in map(build_of, folders) if build is not None]
    if not builds:
        raise Refused(f"no kernel in {' or '.join(folders)}, to know whether the trace is of it (make)")
    if trace.build not in builds:
        raise Refused(f"the trace is of kernel {trace.build:016x}, and this tree has "
                      f"{' and '.join(f'{build:016x}' for build in builds)}: trace again")


# ---- the text ------------------------------------------------------------------------------------


class Reader:
    """Takes the lines of a trace, one after the other."""

    def __init__(self):
        self.trace, self.known, self.tsc, self.ended = Trace(), kinds(), 0, False

    def head(self, line):
        found = re.fullmatch(r"freehold-trace (\d+) build=([0-9a-f]+) hz=([0-9a-f]+) base=([0-9a-f]+)", line)
        if not found:
            raise Refused("this is no trace: it does not begin with `freehold-trace`")
        if found[1] != "1":
            raise Refused(f"a trace of version {found[1]}; this reads version 1")
        self.trace.build, self.trace.hz, self.trace.base = (int(word, 16) for word in found.groups()[1:])
        if self.trace.hz == 0:
            raise Refused("hz=0")

    def record(self, words):
        numbers = [int(word, 16) for word in words] + [0] * (6 - len(words))
        if len(numbers) != 6:
            raise Refused("a record has two to six numbers")
        if numbers[1] not in self.known:
            raise Refused(f"kind {numbers[1]} is unknown")
        self.tsc += numbers[0]
        ns = self.trace.ns_of(self.tsc - self.trace.base)
        self.trace.records.append(Record(ns, self.known[numbers[1]], *numbers[2:]))

    def end(self, words):
        self.ended = True
        told = [int(word, 16) for word in words]
        counted = [len(self.trace.records), sum(lost.count for lost in self.trace.lost)]
        if told != counted:
            raise Refused(f"it says {told[0]} records and {told[1]} lost, and has {counted[0]} and {counted[1]}")

    def line(self, line):
        words = line.split(" ")
        if self.ended:
            raise Refused("it goes on after its end")
        if words[0] in ("env", "late") and len(words) == 4:
            (self.trace.names if words[0] == "env" else self.trace.late)[int(words[1], 16)] = words[2]
        elif words[0] == "drive" and len(words) == 4:
            self.trace.drives[int(words[1], 16)] = words[3]
        elif words[0] == "lost" and len(words) == 2:
            self.trace.lost.append(Lost(len(self.trace.records), int(words[1], 16)))
        elif words[0] == "end" and len(words) == 3:
            self.end(words[1:])
        else:
            self.record(words)


def read(text, name="trace"):
    """A Trace out of the text of a file of this name."""
    reader, number = Reader(), 1
    lines = text.replace("\r\n", "\n").split("\n")
    try:
        reader.head(lines[0])
        for number, line in enumerate(lines[1:], 2):
            if line:
                reader.line(line)
    except ValueError:
        raise Refused(f"{name}:{number}: `{lines[number - 1][:40]}` is not a line of a trace") from None
    except Refused as why:
        raise Refused(f"{name}:{number}: {why}") from None
    if not reader.ended:
        raise Refused(f"{name}: cut off: its last line is not `end`")
    return reader.trace
