"""What gdb gets to know of Freehold: the `fh` commands, breakpoints of one program, symbols of the program that runs.

Read by a gdb that has the kernel's symbols (scripts/debug/qemu starts it so).  Programs share virtual addresses: a
breakpoint of one asks, each time that any stops there, which program the current environment was loaded from; and the
symbols that gdb has below the kernel's half are those of one program, exchanged when another one is found running.
"""
import os
import socket
import sys
import threading
import time

import gdb  # pylint: disable=import-error

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import elf  # noqa: E402
import layout  # noqa: E402
import show  # noqa: E402
from emulator import Refused  # noqa: E402
from machine import USER_END, Machine  # noqa: E402

OUT = os.environ.get("O") or "build"
POLL = 0.05  # seconds between looks at what the machine prints


def quiet(command):
    return gdb.execute(command, to_string=True)


# ---- the machine ---------------------------------------------------------------------------------------


def read_physical(address, size):
    connection = gdb.selected_inferior().connection
    connection.send_packet("Qqemu.PhyMemMode:1")
    try:
        return bytes(gdb.selected_inferior().read_memory(address, size))
    except gdb.MemoryError:
        raise Refused(f"there is no memory at {address:#x}") from None
    finally:
        connection.send_packet("Qqemu.PhyMemMode:0")


def read_registers():
    frame = gdb.newest_frame()
    return {name: int(frame.read_register(name)) & (1 << 64) - 1 for name in ("rip", "rsp", "rbp")}


def all_registers():
    return tuple(int(gdb.newest_frame().read_register(name)) for name in
                 "rip rsp rbp rax rbx rcx rdx rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split())


KERNEL = elf.File(gdb.current_progspace().filename, "kernel")
MACHINE = Machine(layout.Layout(layout.describe()), KERNEL, elf.Programs(os.path.join(OUT, "apps/bin")), read_physical, read_registers)


def connected():
    if not gdb.selected_inferior().pid:
        raise Refused("no machine runs")
    return MACHINE


# ---- symbols -------------------------------------------------------------------------------------------

SHOWN = None  # the program whose symbols gdb has


def show_symbols(file):
    """Has gdb know this program's symbols, and no other's; whether that is a change."""
    global SHOWN  # pylint: disable=global-statement
    if file is None or file is SHOWN:
        return False
    if SHOWN:
        quiet(f"remove-symbol-file {os.path.abspath(SHOWN.path)}")
    SHOWN = None
    quiet(f"add-symbol-file {os.path.abspath(file.path)}")
    SHOWN = file
    return True


def runs_in_program():
    return gdb.selected_inferior().pid and read_registers()["rip"] < USER_END


def on_stop(_):
    MACHINE.forget()
    RELAY.forward()
    try:
        MACHINE.check()
        changed = show_symbols(MACHINE.program(MACHINE.current()))
    except (Refused, gdb.error):
        return  # not that far yet
    if changed and runs_in_program():
        gdb.execute("frame")


# ---- breakpoints ---------------------------------------------------------------------------------------


def places(file, where):
    """Addresses of the program's code: where a function begins, or a line of a file."""
    show_symbols(file)
    if ":" not in where:
        return [file.function(where)]
    try:
        found = [line.pc for line in gdb.decode_line(where)[1] or () if line.pc < USER_END]
    except gdb.error as error:
        raise Refused(f"{file.name}: {error}") from None
    if not found:
        raise Refused(f"{file.name}: no code is at {where}")
    return found


class ProgramBreakpoint(gdb.Breakpoint):
    """Stops at an address when the environment that runs was loaded from one program; the others go on.

    QEMU may answer gdb's step over a breakpoint before it has made the step, when an interrupt waits; then gdb asks once
    more at the same instruction, which is told by no register having changed.
    """

    def __init__(self, file, address):
        super().__init__(f"*{address:#x}")
        self.file, self.before = file, None

    def stop(self):
        MACHINE.forget()
        before, self.before = self.before, (MACHINE.current(), all_registers())
        if self.before == before or MACHINE.program(self.before[0]) is not self.file:
            return False
        show_symbols(self.file)  # before gdb says where this is
        return True


class EndBreakpoint(gdb.Breakpoint):
    """Where the kernel ends the machine, orderly or by panic: afterwards there is nothing to look at."""

    def __init__(self):
        super().__init__("stop_machine", internal=True)
        self.enabled = False

    def stop(self):
        RELAY.forward()
        print(f"the machine ends: {last_word()}", flush=True)
        return True


class BootedBreakpoint(gdb.Breakpoint):
    """The first program is entered: only now is there a breakpoint at the machine's end.  It stands in the same page as the
    code that asks the drives who they are.  QEMU takes such a page one instruction at a time, and on a very busy host two
    boots of some 300 misread the drive; without a breakpoint there, none of 90.
    """

    def __init__(self, end):
        super().__init__("resume_program", internal=True)
        self.end = end

    def stop(self):
        self.end.enabled = True
        return False


def last_word():
    log = RELAY.log()
    lines = [line for line in log.splitlines() if line.startswith("freehold: ")]
    return lines[-1] if lines else "it did not say how"


# ---- the machine's terminal ----------------------------------------------------------------------------


class Relay:
    """Shows what the machine prints while it runs.  A thread: gdb itself waits for the machine then."""

    def __init__(self):
        self.path, self.at, self.lock = os.environ.get("FH_SERIAL"), 0, threading.Lock()
        if self.path:
            threading.Thread(target=self.follow, daemon=True).start()

    def follow(self):
        while True:
            time.sleep(POLL)
            self.forward()

    def forward(self):
        if not self.path or not os.path.exists(self.path):
            return
        with self.lock, open(self.path, "rb") as source:
            source.seek(self.at)
            data = source.read()
            self.at += len(data)
            if data:
                sys.stdout.flush()
                os.write(1, data.replace(b"\r\n", b"\n"))

    def log(self):
        """The kernel's log."""
        path = os.environ.get("FH_LOG", "")
        if not os.path.exists(path):
            return ""
        with open(path, "rb") as source:
            return source.read().decode(errors="replace").replace("\r", "")


RELAY = Relay()


LINE = None  # to the machine's terminal, once something was typed; QEMU takes nothing from who has gone


def type_line(text):
    """Types a line at the machine's terminal; it reads it when it goes on."""
    global LINE  # pylint: disable=global-statement
    path = os.environ.get("FH_TERMINAL")
    if not path:
        raise Refused("this machine's terminal is elsewhere")
    if LINE is None:
        LINE = socket.socket(socket.AF_UNIX)
        LINE.connect(path)
    LINE.sendall(text.encode() + b"\r")


# ---- commands ------------------------------------------------------------------------------------------


def break_command(text):
    file, where = MACHINE.location(text)
    if file is KERNEL:
        KERNEL.function(where)  # says which there are
        gdb.Breakpoint(where)
        return
    if os.environ.get("FH_IMAGE"):
        elf.on_image(file, os.environ["FH_IMAGE"])
    for address in places(file, where):
        made = ProgramBreakpoint(file, address)
        print(f"Breakpoint {made.number} stops {file.name} alone, at {where}")


def symbols_command(text):
    show_symbols(MACHINE.programs.named(text.strip()))
    print(f"symbols are those of the kernel and of {SHOWN.path}")


OWN = {
    "break": (break_command, "PROGRAM:WHERE", "a breakpoint for one program: a function, or file:line"),
    "symbols": (symbols_command, "PROGRAM", "have gdb know that program's symbols (it follows by itself who runs)"),
    "type": (type_line, "TEXT", "type a line at the machine's terminal, if scripts/debug/terminal is not there"),
}


class Prefix(gdb.Command):
    """Freehold: what the kernel keeps, and breakpoints in programs."""

    def __init__(self):
        super().__init__("fh", gdb.COMMAND_DATA, gdb.COMPLETE_NONE, True)

    def invoke(self, argument, _):
        if argument.strip():
            raise gdb.GdbError(elf.suggest("command", argument.split()[0], [*show.COMMANDS, *OWN]))
        for name, (_, words, what) in OWN.items():
            print(f"{name + ' ' + words:22} {what}")
        for line in show.usage():
            print(line)


class Command(gdb.Command):
    def __init__(self, name, action, what, kind=gdb.COMPLETE_NONE):
        self.__doc__ = what
        self.action = action
        super().__init__(f"fh {name}", gdb.COMMAND_DATA, kind)

    def invoke(self, argument, _):
        try:
            self.action(argument)
        except Refused as refusal:
            raise gdb.GdbError(str(refusal)) from None


def shower(name):
    def action(argument):
        for line in show.run(connected(), f"{name} {argument}"):
            print(line)
    return action


def install():
    for setting in ("confirm off", "pagination off", "print thread-events off"):
        quiet(f"set {setting}")
    Prefix()
    for name, (_, words, what) in show.COMMANDS.items():
        Command(name, shower(name), f"{what[:1].upper()}{what[1:]}: fh {name} {words}")
    for name, (action, words, what) in OWN.items():
        Command(name, action, f"{what[:1].upper()}{what[1:]}: fh {name} {words}")
    BootedBreakpoint(EndBreakpoint())
    gdb.events.stop.connect(on_stop)


install()
