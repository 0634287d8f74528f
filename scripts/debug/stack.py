"""Stacks across what the kernel does: from a system call or trap to the program that made it, from an upcall's handler to
what it interrupted, from who serves a call to who made it.

Follows frame pointers, and where there are none what the code says (frames.py); reads other programs' stacks through their page
tables.  A walk is bounded by MOST frames; what does not look like a stack ends it.
"""
import collections

import frames
from machine import PAGE

MOST = 64
USER_PRIVILEGE = 3  # in the low bits of a selector
# Beneath upcall_deflected: room for FXSAVE and MXCSR, then alignment (libos/core/upcall.S).
DEFLECT_ROOM, DEFLECT_ALIGN = 528, 64

Place = collections.namedtuple("Place", "index rip rsp rbp")  # index: of the environment whose memory it is
Frame = collections.namedtuple("Frame", "place file note")    # note: how the walk came here, when not by a call


class Walk:
    """One walk: the frames found, and how the next place was come to when not by a call."""

    def __init__(self, machine):
        self.machine, self.frames, self.note = machine, [], ""

    def bytes(self, place, address, size):
        """Memory as the code at that place sees it; empty where none is mapped."""
        root = self.machine.env(place.index)["root"] if place.index else 0
        return self.machine.virtual(root or self.machine.kernel_root(), address, size) or b""

    def word(self, place, address):
        return int.from_bytes(self.bytes(place, address % (1 << 64), 8), "little")

    def record(self, place, address, tag):
        data = self.bytes(place, address, self.machine.layout.size(tag))
        return self.machine.layout.decode(tag, data) if data else None

    def from_place(self, place):
        """All frames from there outwards."""
        while place and len(self.frames) < MOST:
            file = self.machine.file_at(place.rip, place.index)
            self.frames.append(Frame(place, file, self.note))
            self.note = ""
            at = symbol_of(self.frames, len(self.frames) - 1)
            place = self.caller(place, file, *at) if at else None
            if not place:
                place = self.client(self.frames[-1].place)

    def caller(self, place, file, name, offset):
        if name in CROSSINGS:
            return CROSSINGS[name](self, place)
        start = place.rip - back(self.frames, len(self.frames) - 1) - offset
        return self.calling(place, file, start)

    def calling(self, place, file, start):
        """Who called the function that begins at `start`."""
        state = frames.state_at(file.path, start, place.rip)
        slot = place.rbp + 8 if state.framed else place.rsp + state.depth
        rbp = place.rbp
        if state.framed:
            rbp = self.word(place, place.rbp)
        elif state.rbp_at and state.rbp_at <= state.depth:
            rbp = self.word(place, slot - state.rbp_at)
        rip = self.word(place, slot)
        return Place(place.index, rip, slot + 8, rbp) if rip and slot >= place.rsp else None

    # ---- what the kernel does ------------------------------------------------------------------------

    def system_call(self, place):
        """call_entry left rflags and rip at the top of the kernel's stack, and rsp beside it."""
        cpu = self.machine.variable("per_cpu", "x86_cpu")
        self.note = "system call"
        return Place(self.machine.current(), self.word(place, cpu["stack_top"] - 16), cpu["user_rsp"], place.rbp)

    def saved(self, index, note):
        """Where an environment was when its registers were put into its save area."""
        frame = self.machine.env(index)["save"] if index else 0
        if not frame:
            return None
        regs = self.machine.layout.decode("exo_regs", self.machine.physical(frame * PAGE, PAGE))
        self.note = note(regs)
        return Place(index, regs["rip"], regs["rsp"], regs["rbp"])

    def trapped(self, _):
        return self.saved(self.machine.current(), lambda regs: vector_text(regs["vector"]))

    def interrupted_kernel(self, place):
        """trap_in_kernel keeps the place of the registers in rbp."""
        regs = self.record(place, place.rbp, "exo_regs")
        if not regs:
            return None
        self.note = vector_text(regs["vector"])
        return Place(place.index, regs["rip"], regs["rsp"], regs["rbp"])

    def upcall(self, place):
        """An upcall's frame is at the end of the page for upcalls; rbp is still that of who was interrupted."""
        end = self.machine.env(place.index)["upcall_va"] + PAGE
        frame = self.record(place, end - self.machine.layout.size("exo_upcall_frame"), "exo_upcall_frame")
        if not frame:
            return None
        kind = self.machine.layout.word("exo_upcall_type", frame["what"] & 0xff)
        self.note = f"upcall: {kind}" + (f" {frame['what'] >> 8}, address {frame['addr']:#x}" if kind == "fault" else "")
        return Place(place.index, frame["rip"], frame["rsp"], place.rbp)

    def deflected(self, place):
        """Above what upcall_deflected aligned stand the registers of who was interrupted, as a trap leaves them."""
        for at in range(place.rsp + DEFLECT_ROOM, place.rsp + DEFLECT_ROOM + DEFLECT_ALIGN, 8):
            regs = self.record(place, at, "exo_regs")
            if regs and regs["cs"] & regs["ss"] & USER_PRIVILEGE == USER_PRIVILEGE and regs["rsp"] > at:
                self.note = "upcall, deflected"
                return Place(place.index, regs["rip"], regs["rsp"], regs["rbp"])
        return None

    def client(self, place):
        """Who waits for the reply of the environment whose stack has ended."""
        index = self.machine.env(place.index)["client"] if place.index else 0
        return self.saved(index, lambda _: f"control transfer from {index}") if index else None


# Code after which there is no caller in the usual sense.
CROSSINGS = {"call_entry": Walk.system_call, "leave_program": Walk.trapped, "trap": Walk.trapped, "resume": Walk.trapped,
             "trap_in_kernel": Walk.interrupted_kernel, "upcall_entry": Walk.upcall, "upcall_deflected": Walk.deflected,
             "_start": lambda walk, place: None, "kernel_start": lambda walk, place: None}


def vector_text(vector):
    return f"trap {vector}" if vector < 256 else "system call"


def symbol_of(walked, i):
    """(name, offset) of the code of frame i: of calls the call, not what follows, which may be another function."""
    frame = walked[i]
    return frame.file.symbol_at(frame.place.rip - back(walked, i)) if frame.file else None


def back(walked, i):
    return 0 if i == 0 or walked[i].note else 1


def walk(machine, index):
    """Frames of the CPU, or of environment `index`."""
    found = Walk(machine)
    current = machine.current()
    if index is None or index == current:
        registers = machine.registers()
        found.from_place(Place(current, registers["rip"], registers["rsp"], registers["rbp"]))
    else:
        found.from_place(found.saved(index, lambda regs: f"not running since {vector_text(regs['vector'])}"))
    return found.frames


def text(machine, index=None):
    found = walk(machine, index)
    if not found:
        return ["no stack: it has no registers yet"]
    lines = []
    for i, line in enumerate(places(found)):
        if found[i].note:
            lines.append(f"--- {found[i].note}")
        lines.append(f"#{i:<2} {label(machine, found, i)}{' at ' + line if line else ''}")
    return lines


def label(machine, found, i):
    """`7 (ls): main+0x12`, or the address where no code of ours is."""
    place = found[i].place
    owner = "kernel" if found[i].file is machine.kernel else f"{place.index} ({machine.env(place.index)['name']})"
    at = symbol_of(found, i)
    return f"{owner}: {at[0]}+{at[1] + back(found, i):#x}" if at else f"{owner}: {place.rip:#x}"


def places(found):
    """The source line of each frame, each file being asked once."""
    lines = [""] * len(found)
    for file in {frame.file for frame in found if frame.file}:
        at = [i for i, frame in enumerate(found) if frame.file is file]
        for i, line in zip(at, file.lines([found[i].place.rip - back(found, i) for i in at])):
            lines[i] = line
    return lines
