#!/usr/bin/python3
"""The monitor at the console:  monitor_test.py IMAGE

Boots IMAGE by scripts/run on a pseudo-terminal, has the shell hang in a loop, and asks the monitor by Ctrl-]: it answers,
what is typed to it does not reach the shell, and Ctrl-] gives the console back.  $EMU is the emulator.
"""
import re
import sys

sys.dont_write_bytecode = True
import console_test  # noqa: E402

ATTENTION, CTRL_C = b"\x1d", b"\x03"
ROW = rb"^ *(\d+) (\S+) +\w+ +(?:principal )?([0-9a-f]+) "


class Monitor:
    def __init__(self, image):
        self.terminal, self.failed = console_test.Terminal(image), 0

    def check(self, name, good):
        self.failed += not good
        print(f"ok monitor: {name}" if good else f"FAIL monitor: {name}: ...{self.terminal.text[-300:]!r}", flush=True)

    def rows(self, text):
        """(index, name, principal) of each environment in a list of exotop's or the monitor's."""
        return re.findall(ROW, text.replace(b"\r", b""), re.MULTILINE)

    def said(self, typed, end):
        """What comes after the keys, to what ends it."""
        self.terminal.type(typed)
        found = []
        good = self.terminal.wait(rb"(.*?)" + end, into=found)
        return found[0] if good else b""

    def run(self):
        terminal = self.terminal
        self.check("the shell", terminal.wait(re.escape(console_test.PROMPT)))
        theirs = self.rows(self.said(b"exotop -1\r", rb"\nslots .*?requests.*?/ [$] "))
        terminal.type(b"while :; do :; done\r")
        self.check("the loop is read", terminal.wait(rb"; done"))
        terminal.type(b"echo typed-ahead\r" + ATTENTION)
        self.check("it answers while the shell hangs", terminal.wait(b"monitor> "))
        ours = self.rows(self.said(b"envs\r", b"monitor> "))
        self.check("environments are exotop's", len(ours) >= 3 and ours == [row for row in theirs if row[1] != b"exotop"])
        self.check("one of them", b"made by 1 (init)" in self.said(b"env sh\r", b"monitor> "))
        self.check("capabilities", b" env 2 rights 0x77 " in self.said(b"caps monitor\r", b"monitor> "))
        self.check("a frame", b"frame 0xb8: device, owner nobody" in self.said(b"frame 0xb8\r", b"monitor> "))
        self.check("slots", b" 2 (monitor)" in self.said(b"slots\r", b"monitor> "))
        self.check("extents", b" main live drive 0 " in self.said(b"extents\r", b"monitor> "))
        self.check("queues", re.search(rb"\d+ requests", self.said(b"queues\r", b"monitor> ")))
        self.check("a wrong name", b"there are: 1 (init) 2 (monitor) " in self.said(b"env lss\r", b"monitor> "))
        self.check("a wrong frame", b"there are 0 to 0x" in self.said(b"frame 0xfffffff\r", b"monitor> "))
        self.check("a wrong command", b"there are: envs env caps " in self.said(b"enws\r", b"monitor> "))
        terminal.type(b"echo for-the-monitor" + ATTENTION + CTRL_C)
        self.check("the console comes back", terminal.wait(re.escape(console_test.PROMPT)))
        after = self.said(b"echo to-$((1+1))\r", rb"\nto-2\r?\n")
        self.check("nothing typed before reaches the shell", after and b"ahead" not in after and b"monitor" not in after)
        terminal.type(b"halt\r")
        self.check("halt", terminal.status() == 0)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    monitor = Monitor(sys.argv[1])
    monitor.run()
    sys.exit(1 if monitor.failed else 0)
