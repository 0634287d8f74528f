#!/usr/bin/python3
"""The screen mirrors the terminal, and the keyboard types at it:  screen_test.py IMAGE

Boots IMAGE in QEMU with a VGA, types a command on the emulated PS/2 keyboard through QEMU's monitor, and
looks into the text screen's memory for the prompt, the echo and the answer.
"""
import os
import socket
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "scripts"))
import emulator  # noqa: E402

SECONDS = 30
SCREEN, CELLS = 0xB8000, 80 * 25
NAMES = {" ": "spc", "\n": "ret", "-": "minus", "/": "slash"}


class Monitor:
    """QEMU's monitor on a Unix socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        end = time.monotonic() + SECONDS
        while self.socket.connect_ex(path) != 0:
            if time.monotonic() > end:
                raise emulator.Refused("the monitor does not answer")
            time.sleep(0.1)
        self.answer()

    def answer(self):
        text = b""
        while not text.endswith(b"(qemu) "):
            text += self.socket.recv(65536)
        return text.decode(errors="replace")

    def ask(self, command):
        self.socket.sendall(command.encode() + b"\n")
        return self.answer()


def screen(monitor, folder):
    """The text on the screen, one string."""
    dump = os.path.join(folder, "screen")
    monitor.ask(f'pmemsave {SCREEN:#x} {CELLS * 2} "{dump}"')
    return emulator.read(dump)[::2].decode("latin-1")


def wait_for(monitor, folder, words):
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if words in screen(monitor, folder):
            return True
        time.sleep(0.2)
    return False


def type_keys(monitor, text):
    for key in text:
        name = NAMES.get(key, f"shift-{key.lower()}" if key.isupper() else key)
        monitor.ask(f"sendkey {name} 20")
        time.sleep(0.05)


def main(image):
    failed = 0
    scratch = os.path.join(os.environ.get("O", "build"), "tmp")
    settings = emulator.Settings(extra="-vga std")
    with emulator.Boot(settings, image, scratch) as boot:
        emulator.set_command(boot.disk, "")
        path = boot.path("monitor")
        line = boot.qemu("null")
        line[line.index("-monitor") + 1] = f"unix:{path},server,nowait"
        with open(os.devnull, "rb") as nothing, open(boot.path("out"), "wb") as out:
            boot.start(line, nothing, out)
        monitor = Monitor(path)
        for name, keys, words in (("prompt on the screen", "", "/ $ "),
                                  ("keys reach the shell", "echo Screen-ok\n", "echo Screen-ok"),
                                  ("the answer is on the screen", "seq 3\n", "1" + " " * 79 + "2" + " " * 79 + "3")):
            type_keys(monitor, keys)
            good = wait_for(monitor, boot.work, words)
            failed += not good
            print(f"ok screen: {name}" if good else f"FAIL screen: {name}: not to be seen")
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
