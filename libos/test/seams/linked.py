#!/usr/bin/python3
"""What a link with chosen variants puts into programs:  linked.py BUILD

Static binding is what makes a seam cost nothing. Of the programs as they are built by default:
  - no function of the buffer cache or of the disk's order jumps or calls through a pointer, and the
    path of a hit calls the policy by name;
  - a program that prints no floating point has nothing of it;
  - a program contains what it was linked with, and not a byte of another variant, nor of a seam that its
    libOS does not have; one that makes no threads has nothing of them;
and `make` refuses a variant that is not there, gives SEAMS to every program, and links anew when a line changes.
Prints `ok` and `FAIL` lines.
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

HOT = ("buf_get", "buf_dirty", "cache_enter", "cache_leave")
INDIRECT = re.compile(r"\b(?:call|jmp)q?\s+\*")
DIRECT = re.compile(r"\b(?:call|jmp)q?\s+[0-9a-f]+ <([\w.]+)>")
FAILED = []


def run(*command, check=True):
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS")}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True,
                          env=environment)
    if check and done.returncode:
        sys.exit(f"{' '.join(command)}: status {done.returncode}\n{done.stdout}")
    return done.stdout


def result(name, why):
    print(f"FAIL {name}: {why}" if why else f"ok {name}", flush=True)
    FAILED.extend([name] if why else [])


def functions(path):
    """Name to lines of disassembly."""
    found, lines = {}, []
    for line in run("objdump", "-d", "--no-show-raw-insn", path).splitlines():
        head = re.match(r"[0-9a-f]+ <([\w.]+)>:$", line)
        if head:
            lines = found.setdefault(head.group(1), [])
        else:
            lines.append(line)
    return found


def units(path):
    """The source files that a program has code or data of, by its debugging information."""
    text = run("readelf", "--debug-dump=info", "--dwarf-depth=1", path)
    return set(re.findall(r"DW_AT_name\s*: .*?(libos/\S+\.c)\s*$", text, re.MULTILINE))


def check_archives(build):
    for seam in ("buf", "order"):
        archives = sorted(glob.glob(f"{build}/libos/{seam}-*.a"))
        for archive in archives:
            bad = [name for name, lines in functions(archive).items() if any(map(INDIRECT.search, lines))]
            result(f"linked.direct {os.path.basename(archive)}", bad and f"indirect branches in {', '.join(bad)}")
        if not archives:
            result(f"linked.direct {seam}", "there is no archive of it")


def check_hot_path(program):
    """From buf_get on, within the cache: every branch is direct, and the policy is reached."""
    code = functions(program)
    waiting, reached = list(HOT), set()
    while waiting:
        name = waiting.pop()
        if name in reached or name not in code:
            continue
        reached.add(name)
        if any(map(INDIRECT.search, code[name])):
            result("linked.hot", f"{name} branches through a pointer")
            return
        called = set(filter(None, (m and m.group(1) for m in map(DIRECT.search, code[name]))))
        waiting += [other for other in called if other.startswith(("buf_", "cache_", "hash_", "free_", "get_absent"))]
    missing = {"buf_get", "buf_policy_touch"} - reached
    result("linked.hot", missing and f"not reached: {', '.join(sorted(missing))}")


def variants(seam, common):
    names = (os.path.basename(path)[:-2] for path in glob.glob(f"libos/{seam}/*.c"))
    return {f"libos/{seam}/{name}.c" for name in names if name not in common}


def check_contents(program, chosen, others):
    have = units(program)
    wrong = sorted(have & others) + sorted(f"{unit} is missing" for unit in chosen - have)
    result(f"linked.contents {os.path.basename(program)}", ", ".join(wrong))


def check_small(program):
    """What newlib has for printing floating point comes with programs that print it, not with the libOS."""
    found = {"_svfprintf_r", "_vfprintf_r", "_dtoa_r"} & set(functions(program))
    result(f"linked.small {os.path.basename(program)}", ", ".join(sorted(found)))


def check_make(build):
    # A dry run: -B for the commands of what is up to date, too.
    dry = ["make", "-n", "-B", f"O={build}", f"{build}/apps/bin/cat", f"{build}/apps/bin/init"]
    text = run(*dry, "SEAMS=buf=arc order=cscan", check=False)
    links = [line for line in text.splitlines() if " -o " in line and "'LINK'" in line]
    bad = [line for line in links if "buf-arc.a" not in line or "order-cscan.a" not in line]
    result("linked.seams", "" if len(links) == 2 and not bad else f"{len(links)} links, {len(bad)} without them")
    text = run(*dry, "SEAMS=buf=nosuch", check=False)
    result("linked.refusal", "" if re.search(r"there is no buf=nosuch;.*buf=arc.*buf=lru", text, re.DOTALL) else text[-300:])


def check_relinked_when_sched_changes(build):
    """Another scheduler is an archive that is there already, and older than the program."""
    linked = []
    with tempfile.TemporaryDirectory() as folder:
        program = f"{folder}/bin/bench-threads"
        for name in ("lottery", "stride", "lottery"):
            run("make", f"O={build}", f"LINKED={folder}", f"LIBOS_bench-threads=posix sched={name}", program)
            with open(program, "rb") as code:
                linked.append(code.read())
    lottery, stride, again = linked
    result("linked.relinked_when_sched_changes", "" if lottery != stride and lottery == again else "it is as it was linked first")


def main():
    build = sys.argv[1]
    buf = variants("buf", ("arena", "cache", "give", "tune", "write"))
    order = variants("order", ("queue", "volume"))
    lru, fifo = {"libos/buf/lru.c"}, {"libos/order/fifo.c"}
    check_archives(build)
    check_hot_path(f"{build}/apps/bin/cat")
    check_contents(f"{build}/apps/bin/cat", lru | fifo, (buf - lru) | (order - fifo) | {"libos/vm/eager.c"})
    all_buf, all_fs = (set(glob.glob(f"libos/{seam}/*.c")) for seam in ("buf", "fs"))
    check_contents(f"{build}/apps/bin/rawdisk", fifo, all_buf | all_fs | (order - fifo))
    arc = {"libos/buf/arc.c"}
    check_contents(f"{build}/apps/bin/buf-arc", arc, all_fs | (buf - arc))
    check_small(f"{build}/apps/bin/hello-posix")
    threads = set(glob.glob("libos/sched/*.c")) | set(glob.glob("libos/posix/pthread*.c"))
    for name in ("hello-posix", "cat", "sh"):
        check_contents(f"{build}/apps/bin/{name}", set(), threads)
    check_make(build)
    check_relinked_when_sched_changes(build)
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
