"""The commands that print what a stopped machine's kernel keeps; the same in gdb and in Bochs.

A command is a function of this file that takes a Machine and words, and returns lines; COMMANDS says which there are.
Words that make no sense are Refused, with those that would.
"""
import elf
import stack
from emulator import Refused
from machine import LARGE, PAGE, PRESENT

RIGHTS = {"env": "bk--gcr", "default": "rwgat"}  # letters of capability rights, from bit 0


def table(rows):
    """Columns under a headline: numbers to the right, words and the last column to the left."""
    if len(rows) < 2:
        return ["none"]
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(rows[0]))]
    left = [all(not isinstance(row[i], int) for row in rows[1:]) and not str(rows[1][i])[:1].isdigit() for i in range(len(rows[0]))]
    left[-1] = True
    return ["  ".join(str(cell).ljust(width) if at_left else str(cell).rjust(width)
                      for cell, width, at_left in zip(row, widths, left)).rstrip() for row in rows]


def ranges(numbers):
    """`1-3 7` for 1, 2, 3, 7."""
    runs = []
    for n in numbers:
        if runs and runs[-1][1] == n - 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def who(machine, index):
    return f"{index} ({machine.env(index)['name']})" if index else "nobody"


def program_name(machine, index):
    found = machine.program(index)
    return found.name if found else "?"


def number(text):
    try:
        return int(text, 0)
    except ValueError:
        raise Refused(f"'{text}' is no number") from None


# ---- environments ------------------------------------------------------------------------------------


def envs(machine):
    rows = [("ENV", "NAME", "PROGRAM", "STATE", "PRINCIPAL", "PAGES", "SLOTS", "CAPS", "IO", "FAULTS")]
    running = machine.current()
    for index, env in machine.envs().items():
        used = machine.variable("quota_used", "exo_quota", index)["n"]
        limit = machine.variable("quota_limit", "exo_quota", index)["n"]
        kinds = [machine.layout.value("exo_quota_kind", kind) for kind in ("pages", "slots", "caps", "io")]
        pages, slots, caps, requests = (f"{used[kind]}/{limit[kind]}" for kind in kinds)
        state = "running" if index == running else machine.layout.word("exo_env_state", env["state"])
        rows.append((index, env["name"] or "-", program_name(machine, index), state, f"{env['principal']:x}", pages, slots, caps,
                     requests.split("/")[0], env["faults"]))
    return table(rows)


def env(machine, name):
    index = machine.named(name)
    record = machine.env(index)
    state = machine.layout.word("exo_env_state", record["state"])
    lines = [f"environment {who(machine, index)}: eid {record['gen'] << 16 | index:#x}, {state}"
             + (", running" if index == machine.current() else ""),
             f"program {program_name(machine, index)}, principal {record['principal']:#x}, made by {who(machine, record['parent_index'])}",
             "frames: " + ", ".join(f"{role} {record[role]:#x}" for role in ("root", "save", "upcall_page", "io_ring") if record[role]),
             f"upcalls at {record['upcall_entry']:#x}, their stack at {record['upcall_va']:#x}; {record['faults']} faults",
             f"events pending {record['events']:#x}, as upcalls {record['event_upcall']:#x}, waited for {record['wait_mask']:#x}"]
    if state == "waiting" and record["deadline"]:
        lines.append(f"sleeps until {record['deadline']} ns")
    if record["calling"]:
        lines.append(f"calls {who(machine, record['calling'])}")
    if record["client"]:
        lines.append(f"serves a call of {who(machine, record['client'])}")
    if state == "zombie":
        lines.append(f"ended: {machine.layout.word('exo_end', record['end'])}, vector {record['end_vector']}, code "
                     f"{record['end_code']}, rip {record['end_rip']:#x}, address {record['end_addr']:#x}")
    lines.append(f"CPU: {record['used_ticks']} slices used, {record['given_ticks']} given, {record['overruns']} overrun")
    return lines + ["slots: " + (ranges(owned_slots(record)) or "none")]


def owned_slots(record):
    return [i * 64 + bit for i, word in enumerate(record["slots"]) for bit in range(64) if word >> bit & 1]


def rights(kind, bits):
    letters = RIGHTS.get(kind, RIGHTS["default"])
    return "".join(letter for i, letter in enumerate(letters) if bits >> i & 1 and letter != "-") or "-"


def cap_text(machine, cap):
    """What a capability is for."""
    kind = machine.layout.word("exo_cap_kind", cap["kind"])
    if kind == "env":
        return f"environment {who(machine, cap['object'])}"
    if kind == "extent":
        return f"blocks {cap['start']}-{cap['start'] + cap['len'] - 1} of extent {cap['object']} ({extent_name(machine, cap['object'])})"
    if kind in ("pages", "device"):
        owner = f" of {who(machine, cap['object'])}" if kind == "pages" else ""
        return f"frames {cap['start']:#x}-{cap['start'] + cap['len'] - 1:#x}{owner}"
    return f"session {cap['object']}" if kind == "console" else ""


def caps(machine, name):
    index = machine.named(name)
    rows = [("SLOT", "KIND", "RIGHTS", "GENERATION", "FOR")]
    for slot, cap in enumerate(machine.variable("caps", "exo_caps", index)["c"]):
        kind = machine.layout.word("exo_cap_kind", cap["kind"])
        if kind != "none":
            rows.append((slot, kind, rights(kind, cap["rights"]), cap["gen"], cap_text(machine, cap)))
    return [f"capabilities of {who(machine, index)}:"] + table(rows)


# ---- page frames and page tables ---------------------------------------------------------------------


def frame(machine, text):
    """A frame by its number, or by a physical address with all its digits."""
    at = number(text)
    record = machine.frame_record(at)
    state = machine.layout.word("exo_page_state", record["state"])
    maps, pins = machine.number("page_maps", at), machine.number("page_pins", at)
    run = machine.number("run_maps", at // 512)
    lines = [f"frame {at:#x}, physical {at * PAGE:#x}: {state}{' of level ' + str(record['level']) if state == 'table' else ''}, "
             f"owner {who(machine, record['owner'])}, born {record['born']}",
             f"mapped {maps} times, its run {run} times; {pins} pins"]
    if state == "table":
        lines.append(f"table for {record['va']:#x}, {record['present']} entries present"
                     + (f", linked by frame {record['parent']:#x}" if record["parent"] else ", linked by none"))
    return lines + roles(machine, at) + mappings(machine, at) + bound(machine, record) + holders(machine, at, record) + transfers(machine, at)


def roles(machine, at):
    return [f"{role.replace('_', ' ')} of {who(machine, index)}" for index, record in machine.envs().items()
            for role in ("root", "save", "upcall_page", "io_ring") if record[role] == at]


def mappings(machine, at):
    lines = []
    for index, record in machine.envs().items():
        for leaf in machine.leaves(record["root"]) if record["root"] else ():
            if leaf.frame <= at < leaf.frame + leaf.size // PAGE:
                lines.append(f"mapped by {who(machine, index)} at {leaf.va + (at - leaf.frame) * PAGE:#x} {leaf.text()}, "
                             f"entry {leaf.va // leaf.size % 512} of table {leaf.table:#x}" + (", large" if leaf.level > 1 else ""))
    return lines


def bound(machine, record):
    if not record["bound"]:
        return []
    entry = machine.variable("registry", "exo_bind", record["bound"] - 1)
    return [f"holds block {entry['block']} of extent {entry['extent']} ({extent_name(machine, entry['extent'])}), "
            f"bound by {who(machine, entry['env'])}"]


def holders(machine, at, record):
    """Capabilities that still count: those from before the frame was taken do not."""
    lines = []
    for index in machine.envs():
        for slot, cap in enumerate(machine.variable("caps", "exo_caps", index)["c"]):
            kind = machine.layout.word("exo_cap_kind", cap["kind"])
            if kind == "pages" and cap["start"] <= at < cap["start"] + cap["len"] and cap["object"] == record["owner"] \
                    and cap["gen"] >= record["born"]:
                lines.append(f"capability {slot} of {who(machine, index)}: {rights(kind, cap['rights'])}")
    return lines


def requests(machine):
    """{index: record} of the disk requests that the kernel has."""
    found = machine.array("ios", "exo_io", machine.count("io"))
    return {i: io for i, io in enumerate(found) if machine.layout.word("exo_io_state", io["state"]) != "free"}


def request_text(machine, io):
    return (f"{machine.layout.word('exo_io_op', io['op'])} of {who(machine, io['env'])}: {io['count']} blocks at {io['block']} "
            f"of drive {io['drive']}")


def transfers(machine, at):
    most = machine.kernel.size("io_frames") // 4 // machine.count("io")
    return [f"disk request {i}, {machine.layout.word('exo_io_state', io['state'])}: {request_text(machine, io)}"
            for i, io in requests(machine).items()
            if any(machine.number("io_frames", i * most + k) == at for k in range(io["count"]))]


def tables(machine, name):
    """Runs of mappings that go on in memory, rights and kind of owner."""
    index = machine.named(name)
    rows, run = [("FROM", "TO", "PAGES", "RIGHTS", "FRAME", "OWNER")], None
    for leaf in machine.leaves(machine.env(index)["root"]):
        owner = machine.frame_record(leaf.frame)["owner"]
        if run and run[1] == leaf.va and run[2] == leaf.text() and run[3] + (run[1] - run[0]) // PAGE == leaf.frame and run[4] == owner:
            run[1] += leaf.size
        else:
            run = [leaf.va, leaf.va + leaf.size, leaf.text(), leaf.frame, owner]
            rows.append(run)
    return [f"page tables of {who(machine, index)}, root {machine.env(index)['root']:#x}:"] + table(
        rows[:1] + [(f"{a:#x}", f"{b:#x}", (b - a) // PAGE, text, f"{first:#x}", who(machine, owner)) for a, b, text, first, owner in rows[1:]])


def walk(machine, name, address):
    index = machine.named(name)
    va, lines = number(address), []
    for level, frame_, place, entry in machine.walk(machine.env(index)["root"], va):
        flags = "".join(letter for letter, bit in zip("pwuadL", (PRESENT, 2, 4, 32, 64, LARGE)) if entry & bit) \
            + ("" if entry >> 63 else "x") if entry & PRESENT else "not present"
        lines.append(f"level {level}: table {frame_:#x}, entry {place}: {entry:#018x} {flags}")
    at = machine.translate(machine.env(index)["root"], va)
    return lines + [f"{va:#x} is physical {at:#x}, frame {at // PAGE:#x}" if at is not None else f"{va:#x} is not mapped"]


# ---- CPU slots, disk ---------------------------------------------------------------------------------


def slots(machine):
    found = machine.array("slots", "exo_slot", machine.count("slots"))
    owners = {}
    for i, slot in enumerate(found):
        owners.setdefault(slot["owner"], []).append(i)
    rows = [("OWNER", "SLOTS", "USED", "MISSED", "GIVEN", "WHICH")]
    for owner, own in sorted(owners.items()):
        rows.append((who(machine, owner), len(own), *(sum(found[i][what] for i in own) for what in ("used", "missed", "given")), ranges(own)))
    return [f"slot {machine.info()['current_slot']} of {len(found)} runs, for {who(machine, machine.current())}"] + table(rows)


def extent_name(machine, index):
    return machine.variable("extents", "exo_extent", index)["name"]


def extents(machine):
    rows = [("EXTENT", "NAME", "STATE", "DRIVE", "OWNER", "START", "BLOCKS", "READABLE", "GENERATION")]
    for i, extent in enumerate(machine.array("extents", "exo_extent", machine.count("extents"))):
        state = machine.layout.word("exo_extent_state", extent["state"])
        if state != "free" and extent["len"]:
            rows.append((i, extent["name"] or "-", state, extent["drive"], f"{extent['owner']:x}", extent["start"], extent["len"],
                         extent["init"], extent["gen"]))
    return table(rows)


def queues(machine):
    lines = []
    for i in range(machine.count("drives")):
        drive = machine.variable("drives", "exo_drive", i)
        if drive["blocks"]:
            lines.append(f"drive {i}: {drive['model'].strip()}, {drive['blocks']} blocks, {drive['commands']} commands, "
                         f"{drive['blocks_read']} blocks read, {drive['blocks_written']} written, {drive['errors']} errors")
    waiting = requests(machine)
    for i, io in waiting.items():
        if machine.layout.word("exo_io_state", io["state"]) == "active":
            lines.append(f"active: {i}, {request_text(machine, io)}")
    for index, record in machine.envs().items():
        at = record["io_head"]
        for _ in waiting:
            if at:
                lines.append(f"queue of {who(machine, index)}: {at - 1}, {request_text(machine, waiting[at - 1])}")
                at = waiting[at - 1]["next"]
    return lines + [f"{len(waiting)} requests"]


# ---- where it stands ---------------------------------------------------------------------------------


def programs(machine):
    rows = [("PROGRAM", "BUILD ID", "RUNS AS")]
    running = {}
    for index in machine.envs():
        found = machine.program(index)
        if found:
            running.setdefault(found.name, []).append(who(machine, index))
    for name, file in machine.programs.by_name.items():
        rows.append((name, file.id or "none", ", ".join(running.get(name, []))))
    return table(rows)


def stack_lines(machine, name=None):
    return stack.text(machine, machine.named(name) if name else None)


COMMANDS = {
    "envs": (envs, "", "environments"),
    "env": (env, "ENV", "one of them; ENV is an index, an eid, or a name"),
    "caps": (caps, "ENV", "its capabilities"),
    "tables": (tables, "ENV", "its page tables, as ranges"),
    "walk": (walk, "ENV ADDRESS", "how its page tables translate an address"),
    "frame": (frame, "NUMBER", "a page frame: owner, mappings, pins, roles, block, capabilities, transfers"),
    "slots": (slots, "", "the CPU's slots by owner"),
    "extents": (extents, "", "extents of the disks"),
    "queues": (queues, "", "drives, and the requests for them"),
    "programs": (programs, "", "the programs that were built, and who runs them"),
    "stack": (stack_lines, "[ENV]", "calls, through system calls, upcalls and control transfers"),
}


def usage():
    return [f"{name + ' ' + words:18} {what}" for name, (_, words, what) in COMMANDS.items()]


def run(machine, line):
    """The lines of one command."""
    words = line.split()
    if not words or words[0] not in COMMANDS:
        raise Refused(elf.suggest("command", words[0] if words else "", COMMANDS))
    function, takes, _ = COMMANDS[words[0]]
    least, most = takes.replace("[ENV]", "").split(), takes.split()
    if not len(least) <= len(words) - 1 <= len(most):
        raise Refused(f"usage: {words[0]} {takes}")
    machine.check()
    return function(machine, *words[1:])
