"""The two ways to run a booted machine: its terminal in ours, or its output alone.

Used by scripts/run and by the SDK's exo-run; each returns the status to exit with, having told the
reason when there is one.
"""
import os
import pty
import select
import subprocess
import sys
import termios
import time
import tty

CTRL_A, CTRL_D = 1, 4
NAME = os.path.basename(sys.argv[0])


def judged(boot, verdict):
    """The status, the reason having been told when there is one."""
    status, reason = verdict
    if reason:
        print(f"\n{NAME}: {reason}\n{boot.complaint()}", file=sys.stderr)
    return status


class Plain:
    """The guest's output to ours, its terminal's line ends as ours are; a piece may end inside of one."""

    def __init__(self):
        self.held = b""

    def take(self, data):
        data = self.held + data
        self.held = b"\r" if data.endswith(b"\r") else b""
        self.put(data[:len(data) - len(self.held)])

    def put(self, data):
        sys.stdout.buffer.write(data.replace(b"\r\n", b"\n"))
        sys.stdout.buffer.flush()


def batch(boot, timeout):
    plain = Plain()
    verdict = boot.batch(timeout, plain.take)
    plain.put(plain.held)
    return judged(boot, verdict)


class Raw:
    """The terminal with every key going through, for as long as a `with` lasts; else nothing."""

    def __enter__(self):
        self.saved = termios.tcgetattr(0) if os.isatty(0) else None
        if self.saved:
            tty.setraw(0)

    def __exit__(self, *_):
        if self.saved:
            termios.tcsetattr(0, termios.TCSADRAIN, self.saved)


class Keys:
    """Finds Ctrl-A X in what is typed; Ctrl-A Ctrl-A sends one Ctrl-A."""

    def __init__(self):
        self.escaped = False

    def take(self, data):
        """What to pass on of data, and whether the end was asked for."""
        out = bytearray()
        for key in data:
            if self.escaped:
                self.escaped = False
                if key in b"xX":
                    return bytes(out), True
                out.append(key)
            elif key == CTRL_A:
                self.escaped = True
            else:
                out.append(key)
        return bytes(out), False


def relay(boot, to_guest, from_guest, timeout):
    """Our terminal to the guest's and back until one of them ends.  Returns what ended it.

    Nothing is typed before the guest has said something: what comes before it is ready is lost.  The
    end of our input is the guest's Ctrl-D.
    """
    keys, sources, typed, awake = Keys(), [0, from_guest], b"", False
    deadline = time.monotonic() + timeout if timeout else None
    while boot.process.poll() is None:
        # A guest that does not read lets its buffer fill: then typing waits, and output goes on.
        ready, room, _ = select.select(sources, [to_guest] if typed and awake else [], [], 0.1)
        if from_guest in ready:
            awake = forward(from_guest) or awake
        if room:
            typed = typed[os.write(to_guest, typed[:64]):]
        if 0 in ready and len(typed) < 4096:
            data = os.read(0, 1024)
            more, done = keys.take(data or bytes([CTRL_D]))
            typed += more
            if done:
                return "user"
            if not data:
                sources.remove(0)
        if boot.ended() and not ready:
            return "guest"
        if deadline and time.monotonic() > deadline:
            return "time"
    return "guest"


def forward(source):
    """One piece of the guest's output to ours; False when there is none."""
    try:
        data = os.read(source, 4096)
    except OSError:  # a terminal that its other end has closed
        data = b""
    if data:
        os.write(1, data)
    return bool(data)


def drain(source):
    """What the guest wrote last."""
    while select.select([source], [], [], 0)[0] and forward(source):
        pass


def terminal(boot):
    """Starts the machine with COM1 in our hands: the files to write to and read from."""
    if boot.settings.emulator == "qemu":
        boot.start(boot.qemu("stdio"), subprocess.PIPE, subprocess.PIPE)
        return boot.process.stdin.fileno(), boot.process.stdout.fileno()
    master, slave = pty.openpty()  # Bochs opens it by name
    tty.setraw(slave)
    with open(boot.path("stdout"), "wb") as out:
        boot.start(boot.bochs("term", os.ttyname(slave)), subprocess.DEVNULL, out)
    return master, master


def interactive(boot, timeout):
    if sys.stdin.isatty():
        print(f"{NAME}: Ctrl-A X ends the machine", file=sys.stderr)
    if boot.settings.gdb:
        print(f"{NAME}: waiting for gdb: target remote 127.0.0.1:1234", file=sys.stderr)
    with Raw():
        to_guest, from_guest = terminal(boot)
        why = relay(boot, to_guest, from_guest, timeout)
        boot.stop()
        drain(from_guest)
    if why == "user":
        print(file=sys.stderr)
        return 0
    return judged(boot, boot.verdict(why == "time"))
