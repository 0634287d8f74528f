#!/usr/bin/python3
"""Runs the tutorials of the book as they stand there:  tutorial_test.py [DISK]

In a page, a block ```c NAME is a file; in a block ```console the lines after `$ ` are commands, run one after
the other in a folder of their own, and the others are what they print, exactly.  Prints `ok` and `FAIL` lines.
From the environment: O, whose sdk-test is the SDK.  (DISK is what scripts/test gives; not used.)
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

SDK = os.path.abspath(os.path.join(os.environ.get("O") or "build", "sdk-test"))
BLOCK = re.compile(r"^```(c \S+|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS = 100


def steps(text):
    """[(command, what it prints)] of a console block."""
    found = []
    for line in text.splitlines(keepends=True):
        if line.startswith("$ "):
            found.append([line[2:].rstrip("\n"), ""])
        else:
            found[-1][1] += line
    return found


def run_page(text, work):
    """How many commands did as the page says; and of the first that did not, what it printed."""
    env = dict(os.environ, PATH=f"{SDK}/bin:/usr/bin:/bin:/usr/sbin:/sbin")
    done = 0
    for kind, body in BLOCK.findall(text):
        if kind != "console":
            with open(os.path.join(work, kind.split()[1]), "w", encoding="utf-8") as out:
                out.write(body)
            continue
        for command, wanted in steps(body):
            ran = subprocess.run(["bash", "-c", command], cwd=work, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, timeout=SECONDS, check=False)
            printed = ran.stdout.decode(errors="replace")
            if printed != wanted:
                return done, f"{command}\n  wanted: {wanted}  printed: {printed}"
            done += 1
    return done, "" if done else "it has no commands"


def main():
    bad = 0
    for page in sorted(glob.glob("doc/book/tutorial-*.md")):
        with open(page, encoding="utf-8") as source:
            text = source.read()
        with tempfile.TemporaryDirectory(prefix="tutorial-") as work:
            done, wrong = run_page(text, work)
        bad += bool(wrong)
        name = os.path.basename(page)[:-3]
        print(f"FAIL {name}: after {done} commands: {wrong}" if wrong else f"ok {name}: {done} commands", flush=True)
    return 1 if bad else 0


sys.exit(main())
