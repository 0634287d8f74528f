#!/usr/bin/python3
"""Do traces tell what happened?  trace_test.py IMAGE

Lists instructions of /tests/counted (counted.c) under Bochs, and asks who wrote into a page frame and to a block.
"""
import os
import re
import subprocess
import sys

OUT = os.environ.get("O") or "build"
DEPTH, BYTES, PAGE = 10, 5000, 4096


def trace(image, **settings):
    """(status, what it printed) of one run."""
    known = {**os.environ, "FHIMAGE": os.path.join(OUT, "host", "fhimage"), "CMD": "/tests/counted", "TIMEOUT": "100", **settings}
    done = subprocess.run(["scripts/profile/trace", image], env=known, check=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode(errors="replace")


def tell(name, good, text):
    print(f"ok {name}" if good else f"FAIL {name}: {text}", flush=True)
    return not good


def instructions(text):
    return [line for line in text.splitlines() if re.match(r" +[0-9a-f]+  [a-z]", line) and ":" not in line.split("  ")[0]]


def function(image):
    """Every instruction of a function that calls itself, with registers and stack; and a part of that."""
    _, text = trace(image, FUNC="counted:nest")
    lines = instructions(text)
    down = re.findall(r"dec +%rdi +rdi=([0-9a-f]+)(?:  flags=\w+)?$", text, re.MULTILINE)
    pushed = re.findall(r"call .* rsp=([0-9a-f]+)  \[\1, frame [0-9a-f]+\]\.8 <- ([0-9a-f]+)$", text, re.MULTILINE)
    popped = re.findall(r"ret +rsp=[0-9a-f]+  \[([0-9a-f]+), frame [0-9a-f]+\]\.8 -> ([0-9a-f]+)$", text, re.MULTILINE)
    failed = tell("instructions of a function", len(lines) == 6 * DEPTH + 4, text)
    failed += tell("its registers", down == [f"{n:x}" for n in reversed(range(DEPTH))], text)
    failed += tell("its flags", re.search(r"dec +%rdi +rdi=0  flags=PZI\n +\w+  call .*\n +\w+  test +%rdi,%rdi", text), text)
    failed += tell("what it stores and loads", len(pushed) == DEPTH and popped[:-1] == pushed[-2::-1], text)
    _, part = trace(image, FUNC="counted:nest", SKIP="5", LIMIT="7")
    return failed + tell("a part of it", instructions(part) == lines[5:12], part)


def callees(image):
    """What it calls, in the kernel, with the lines of the source."""
    _, text = trace(image, FUNC="counted:calls", DEPTH="2", LIMIT="60")
    with open("apps/tests/profile/counted.c", encoding="utf-8") as source:
        number = next(i for i, line in enumerate(source, 1) if "call_null();" in line)
    failed = tell("what it calls", re.search(r"^    kernel:sys_null .*\n +exo/\S+:\d+  \S", text, re.MULTILINE), text)
    _, text = trace(image, FUNC="counted:calls", LIMIT="60")
    failed += tell("without what it calls", "sys_null" not in text and "syscall" in text, text)
    return failed + tell("lines of the source", re.search(rf"^  apps/tests/profile/counted.c:{number - 1}  for ", text, re.MULTILINE), text)


def region(image):
    _, text = trace(image, REGION="tail")
    return tell("a region", re.findall(r"^(\S+:\S+) ", text, re.MULTILINE) == ["counted:main", "counted:tail", "counted:spin"],
                text)


def fault(image):
    """An instruction that faults says so, and is there again when it is executed again."""
    _, text = trace(image, FUNC="counted:deepen")
    lines = instructions(text)
    return tell("an instruction that faults", [line.split("  ")[3].split(" ")[0] for line in lines] ==
                ["mov", "sub", "call", "call", "add", "ret"] and lines[2].endswith(" fault") and "fault" not in lines[3]
                and "rsp=" in lines[3], text)


def page(image):
    """Who filled a page: the function that says how many bytes it stores."""
    _, text = trace(image, FUNC="counted:fill", LIMIT="5")
    found = re.search(r"rep stos.*\[([0-9a-f]+), frame ([0-9a-f]+)\]\.1 <- 0$", text, re.MULTILINE)
    if not found:
        return tell("a page", False, text)
    stores = PAGE - int(found[1], 16) % PAGE
    _, text = trace(image, PAGE=f"0x{found[2]}")
    lines = [line for line in text.splitlines() if line.startswith("  tick")]
    failed = tell("a page: the first", lines and "kernel:sys_page_take" in lines[0], text)
    return failed + tell("a page: how many stores", any(f" {stores:,} stores  counted: fill <- main" in line for line in lines), text)


def block(image):
    """Who wrote the superblock first: the mount, through the cache; and what its frame was used for before."""
    _, text = trace(image, BLOCK="main:0", CMD="sync")
    found = re.match(r"tick [\d,]+  environment 1  drive 0: write of block (\d+), frame ([0-9a-f]+)  init: .*\n"
                     r"  tick [\d,]+  environment 1  at [0-9a-f]+, \d+ stores  init: write_super <- ext2_mount <- .*\n"
                     r"      libos/fs/ext2_super.c:\d+  \S", text)
    failed = tell("a block", found, text)
    if not found:
        return failed
    _, text = trace(image, PAGE=f"0x{found[2]}", CMD="true")
    return failed + tell("a page: what the drive does", re.search(
        rf"sys_page_take(?s:.*)^tick [\d,]+  environment 1  drive 0: read of block {found[1]}, frame {found[2]}  init: .*\n"
        rf"(?s:.*)^tick [\d,]+  environment 1  drive 0: write of block {found[1]}, ", text, re.MULTILINE), text)


def refusals(image):
    failed = 0
    for name, pattern, settings in (
            ("an unknown function", "counted: no function 'mian'; there are: .*main", {"FUNC": "counted:mian"}),
            ("an unknown program", "no program 'nix'; there are: .*counted", {"FUNC": "nix:main"}),
            ("an unknown region", "no region nix; there are: .*work", {"REGION": "nix"}),
            ("no such frame", "a frame, below 0x8000", {"PAGE": "0x8000"}),
            ("no such extent", "no extent nix; there are: .*main", {"BLOCK": "nix:1"}),
            ("a block that is not written", "nothing was written to block 3", {"BLOCK": "3"}),
            ("a function that does not run", "was not executed", {"FUNC": "ls:main"}),
            ("nothing wanted", "say what", {})):
        status, text = trace(image, **settings)
        failed += tell(name, status == 2 and re.search(pattern, text), f"status {status}: {text}")
    return failed


def main():
    return 1 if sum(test(sys.argv[1]) for test in (function, callees, region, fault, page, block, refusals)) else 0


sys.exit(main())
