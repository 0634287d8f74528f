#!/usr/bin/python3
"""A person at the terminal:  console_test.py IMAGE

Boots IMAGE by scripts/run on a pseudo-terminal, as `make run` does, and types: editing, history, Ctrl-C on a
sleeping and on a computing program, and an orderly end.  $EMU is the emulator.
"""
import os
import pty
import re
import select
import sys
import time

SECONDS = 60
PROMPT = b"/ $ "
UP, LEFT, CTRL_C, BACKSPACE = b"\x1b[A", b"\x1b[D", b"\x03", b"\x7f"


class Terminal:
    """scripts/run behind a pseudo-terminal."""

    def __init__(self, image):
        self.text = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["CMD"] = ""
            os.environ["TERM"] = "xterm"
            os.execv("scripts/run", ["scripts/run", image])

    def wait(self, pattern, seconds=SECONDS, into=None):
        """Whether the pattern comes; what came until its end is gone afterwards.  Its first group goes to `into`."""
        end = time.monotonic() + seconds
        while True:
            found = re.search(pattern, self.text, re.DOTALL)
            if found:
                if into is not None:
                    into.append(found[1])
                self.text = self.text[found.end():]
                return True
            if time.monotonic() > end or not self.read():
                return False

    def read(self):
        if select.select([self.fd], [], [], 1)[0]:
            try:
                more = os.read(self.fd, 65536)
            except OSError:
                return False
            self.text += more
            return bool(more)
        return True

    def type(self, keys):
        os.write(self.fd, keys)

    def status(self):
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            self.read()
        return None


def line(text):
    """A line of output, not the echo of what was typed."""
    return rb"\n" + text + rb"\r?\n"


def main(image):
    failed = 0

    def check(name, good):
        nonlocal failed
        failed += not good
        print(f"ok console: {name}" if good else f"FAIL console: {name}: it did not come: ...{terminal.text[-200:]!r}", flush=True)

    terminal = Terminal(image)
    check("prompt", terminal.wait(re.escape(PROMPT)))
    terminal.type(b"echo one-$((1+1))\r")
    check("a command", terminal.wait(line(b"one-2")) and terminal.wait(re.escape(PROMPT)))
    terminal.type(b"echo wrong" + BACKSPACE * 5 + b"rght" + LEFT * 3 + b"i\r")
    check("editing", terminal.wait(line(b"right")) and terminal.wait(re.escape(PROMPT)))
    terminal.type(UP + UP + b"\r")
    check("history", terminal.wait(line(b"one-2")) and terminal.wait(re.escape(PROMPT)))
    terminal.type(b"sleep 1000\r")
    time.sleep(2)
    terminal.type(CTRL_C)
    time.sleep(1)
    terminal.type(b"echo woken-$?\r")
    check("Ctrl-C on a sleeping program", terminal.wait(line(b"woken-130")) and terminal.wait(re.escape(PROMPT)))
    terminal.type(b"while :; do :; done\r")
    time.sleep(2)
    terminal.type(CTRL_C)
    time.sleep(1)
    terminal.type(b"echo free-$((2+2))\r")
    check("Ctrl-C on a computing shell", terminal.wait(line(b"free-4")) and terminal.wait(re.escape(PROMPT)))
    terminal.type(b"yes | sort\r")
    time.sleep(2)
    terminal.type(CTRL_C)
    time.sleep(1)
    terminal.type(b"echo out-$((3+3))\r")
    check("Ctrl-C on a pipeline", terminal.wait(line(b"out-6")) and terminal.wait(re.escape(PROMPT)))
    terminal.type(b"sleep 2\r")
    time.sleep(1)
    terminal.type(b"echo ahe")
    ahead = terminal.wait(re.escape(PROMPT))
    terminal.type(b"ad-$((4+4))\r")
    check("typed ahead of the prompt", ahead and terminal.wait(line(b"ahead-8")) and terminal.wait(re.escape(PROMPT)))
    terminal.type(b"halt\r")
    check("halt", terminal.status() == 0)
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
