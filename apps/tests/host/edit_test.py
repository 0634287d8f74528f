#!/usr/bin/python3
"""Drive the shell's line editor through a pseudo terminal: edit_test.py BIN_DIRECTORY.

Each case types keys and then asks the shell to print a marker; what matters is what the shell
ran, not how the screen looked. Prints `ok NAME` or `FAIL NAME: why`.
"""
import os
import pty
import select
import sys
import tempfile
import time

CASES = [
    ("plain", b"echo RES\xc2\xb7abc\r", "RES\u00b7abc"),
    ("left-insert", b"echo RESac\x1b[Db\r", "RESabc"),
    ("home-end", b"cho RES1\x1b[He\x1b[F2\r", "RES12"),
    ("ctrl-a-e", b"cho RES3\x01e\x054\r", "RES34"),
    ("backspace", b"echo RESx\x7fy\r", "RESy"),
    ("ctrl-u", b"garbage\x15echo RES5\r", "RES5"),
    ("ctrl-k", b"echo RES6 garbage\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\x0b\r", "RES6"),
    ("ctrl-w", b"echo RES7 garbage\x17\r", "RES7"),
    ("ctrl-c", b"garbage\x03echo RES8\r", "RES8"),
    ("history", b"echo RES9-\rtrue\r\x1b[A\x1b[Ax\r", "RES9-x"),
    ("history-down", b"echo REShist\r\x1b[A\x1b[Becho RESdown\r", "RESdown"),
    ("complete", b"echo RES uniq\t\r", "RES uniquely-named"),
    ("complete-dir", b"echo RES di\tin\t\r", "RES dir/inner"),
    ("complete-common", b"echo RES sam\t1\r", "RES same-1"),
    ("continued", b"if true\rthen echo RES10\rfi\r", "RES10"),
    ("delete", b"echo RESxz\x1b[D\x1b[D\x1b[3~y\r", "RESyz"),
    ("syntax-error", b"echo a | | b\recho RES11\r", "RES11"),
    ("long", b"echo RES" + b"1234567890" * 20 + b"\r", "RES" + "1234567890" * 20),
]


def run(shell, keys, directory):
    """Type keys into a fresh interactive shell; return what it printed in the end."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(directory)
        os.execve(shell, [shell], {"PATH": os.path.dirname(shell), "PS1": "$ ", "HOME": "/",
                                   "ASAN_OPTIONS": "detect_leaks=0"})
    output = b""
    typed = False
    deadline = time.time() + 30
    while time.time() < deadline:
        ready, _, _ = select.select([fd], [], [], 0.2)
        if ready:
            try:
                data = os.read(fd, 65536)
            except OSError:
                break
            if not data:
                break
            output += data
        if not typed and b"$ " in output:
            os.write(fd, keys + b"exit\r")
            typed = True
    os.close(fd)
    _, status = os.waitpid(pid, 0)
    return output.decode("utf-8", "replace"), status


def main():
    shell = os.path.join(os.path.abspath(sys.argv[1]), "sh")
    failed = False
    with tempfile.TemporaryDirectory() as directory:
        os.mkdir(os.path.join(directory, "dir"))
        for name in ("uniquely-named", "same-1", "same-2", "dir/inner"):
            open(os.path.join(directory, name), "w").close()
        for name, keys, wanted in CASES:
            output, status = run(shell, keys, directory)
            good = "\r\n" + wanted in output and "anitizer" not in output
            print("ok edit/" + name if good and status == 0 else
                  "FAIL edit/%s: status %d, got %r" % (name, status, output[-400:]))
            failed |= not good or status != 0
    return 1 if failed else 0


sys.exit(main())
