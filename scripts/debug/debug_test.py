#!/usr/bin/python3
"""Sessions of both debuggers, without a person:  debug_test.py IMAGE

Runs scripts/debug/qemu or scripts/debug/bochs, as $EMU says, with files of commands, and judges what is printed: the
commands and, but for gdb's and Bochs' own lines, the answers are the same.  IMAGE is the test image.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import elf  # noqa: E402

OUT = os.environ.get("O") or "build"
EMU = os.environ.get("EMU") or "qemu"
SECONDS = {"qemu": 50, "bochs": 200}[EMU]
QUIET = "true false basename dirname echo seq date pwd sync".split()  # need nothing, and end at once


class Session:
    """What one session printed, and its status."""

    def __init__(self, image, commands, cmd="", prog=""):
        with tempfile.NamedTemporaryFile("w", suffix=".commands") as script:
            script.write("\n".join(commands) + "\n")
            script.flush()
            done = subprocess.run([f"{HERE}/{EMU}", "--batch", script.name, image], stdin=subprocess.DEVNULL, check=False,
                                  env=dict(os.environ, CMD=cmd, PROG=prog, DISK="", TIMEOUT=str(SECONDS)),
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.text, self.status = done.stdout.decode(errors="replace"), done.returncode

    def has(self, *patterns):
        """Each after the one before."""
        at = 0
        for pattern in patterns:
            found = re.compile(pattern, re.MULTILINE).search(self.text, at)
            if not found:
                return False
            at = found.end()
        return True

    def answers(self, command):
        """What was printed after each such command, until the next one."""
        parts = re.split(r"^(?:\+|fh> )(.*)\n", self.text, flags=re.MULTILINE)
        return [text for done, text in zip(parts[1::2], parts[2::2]) if done == command]


def test_breakpoint(image):
    """Two programs whose main stands at the same address: only one of them stops."""
    programs = elf.Programs(f"{OUT}/apps/bin")
    mains = {name: programs.named(name).function("main") for name in QUIET}
    one, other = next((a, b) for a in QUIET for b in QUIET if a < b and mains[a] == mains[b])
    session = Session(image, [f"fh break {one}:main", *["continue", "fh envs"] * 2, "continue"],
                      "; ".join(f"/bin/{name} >/x" for name in (other, one, other, one)))
    runs = [re.findall(r"^ +\d+  (\S+) +\S+ +running ", answer, re.MULTILINE) for answer in session.answers("fh envs")]
    return runs == [[one], [one]] and "the machine ends" in session.answers("continue")[-1], session


def test_system_call(image):
    session = Session(image, ["fh break kernel:sys_console_write", "continue", "fh stack"], "ls /bin", "ls")
    return session.has(r"kernel: sys_console_write\+0x0 at exo/kern/console\.c:\d+", r"kernel: call_entry", "^--- system call$",
                       r"\(ls\): \w+\+.* at libos/", r"\(ls\): main\+.* at apps/ls/ls\.c:\d+", r"\(ls\): _start"), session


def test_upcall(image):
    session = Session(image, ["fh break ls:vm_fault", "continue", "fh stack"], "ls /bin", "ls")
    return session.has(r"\(ls\): vm_fault\+0x0 at libos/vm/region\.c", r"\(ls\): dispatch_other", r"\(ls\): upcall_entry",
                       r"^--- upcall: fault 14, address 0x", r"\(ls\): main\+.* at apps/ls/ls\.c:\d+"), session


def test_control_transfer(image):
    session = Session(image, ["fh break kernel:sys_ipc_reply_wait", *["continue", "fh stack"] * 4], "/tests/ipc")
    found = re.search(r"^#\d+ +(\d+) \(ipc\): _start.*\n--- control transfer from (\d+)\n((?:#.*\n)+)", session.text, re.MULTILINE)
    return bool(found and found[1] != found[2]
                and re.match(rf"#\d+ +{found[2]} \(ipc\): main\+.* at apps/tests/ipc/ipc\.c:\d+ in ", found[3])), session


def test_environments(image):
    """Ours and exotop's rows agree but in the words for states, and in what exotop itself takes meanwhile."""
    session = Session(image, ["fh break exotop:tool_done", "continue", "fh envs", "continue"], "sleep 100 & exotop -1 >/x; cat /x", "exotop")
    ours, theirs = (re.findall(r"^ +(\d+) +(\S+) +(?:\S+ +)?\w+ +([0-9a-f]+) +(\d+/\d+) +(\d+/\d+) +(\d+/\d+) ", (session.answers(command) or [""])[-1],
                               re.MULTILINE) for command in ("fh envs", "continue"))
    return len(ours) >= 4 and ours == theirs, session


def test_shared_page(image):
    """A page of code that two of the same program map: by all of them, owned by init, as often as the kernel counts."""
    found = Session(image, ["fh envs", "fh walk 4 0x401000"], "sleep 100 & sleep 100 & ls /", "ls")
    frame = re.search(r"frame (0x[0-9a-f]+)$", found.text, re.MULTILINE)
    if not frame or not found.has(r"^ +4 +sleep +sleep "):
        return False, found
    session = Session(image, [f"fh frame {frame[1]}"], "sleep 100 & sleep 100 & ls /", "ls")
    mapped = re.findall(r"^mapped by (\d+) \((\S+)\) at (0x[0-9a-f]+) (\S+), entry \d+ of table 0x[0-9a-f]+(, large)?$", session.text, re.MULTILINE)
    small = [(name, va, rights) for _, name, va, rights, large in mapped if not large]
    count = re.search(r"^mapped (\d+) times", session.text, re.MULTILINE)
    return (session.has(rf"^frame {frame[1]}, .*: data, owner 1 \(init\)") and small == [("sleep", "0x401000", "r-x")] * 2
            and count and int(count[1]) == len(small)), session


def test_typing(image):
    """A line typed while the machine stands still, of which the shell reads a key at each stop; it ends the machine."""
    session = Session(image, ["fh break sh:tty_read", "continue", "fh type ls;halt", "fh break ls:main", *["continue", "fh envs"] * 14],
                      prog="sh")
    return session.has(r"^ +\d+ +ls +ls +running "), session


def test_names(image):
    """Each wrong name is refused by a message that has the right one."""
    cases = [("fh break lss:main", "no program 'lss'; there are: .* ls "), ("fh break ls:maim", "ls: no function 'maim'; there are: .*main"),
             ("fh env lss", r"no environment 'lss'; there are: 1 \(init\) .*\(sh\) .*\(ls\)"), ("fh frame 0xfffffff", "no frame 0xfffffff: there are 0x"),
             ("fh walk 1 here", "'here' is no number"), ("fh caps", "usage: caps ENV"), ("fh break ls", "usage: break PROGRAM:FUNCTION")]
    for command, message in cases:
        session = Session(image, [command], "ls /", "ls")
        if session.status == 0 or not session.has(message):
            return False, session
    return True, session


def spoiled(image, build, folder):
    """A copy of the image on which a file of that build is of another."""
    copy = os.path.join(folder, "spoiled.img")
    shutil.copyfile(image, copy)
    with open(copy, "r+b") as disk:
        data = disk.read()
        disk.seek(data.index(bytes.fromhex(build)))
        disk.write(bytes(20))
    return copy


def test_builds(image):
    programs = elf.Programs(f"{OUT}/apps/bin")
    with tempfile.TemporaryDirectory(dir=OUT) as folder:
        first = Session(spoiled(image, elf.File(f"{OUT}/exo/kernel.elf").id, folder), ["fh envs"], "ls /")
        if first.status != 2 or not first.has("kernel is of another build: there are symbols of .*kernel.elf"):
            return False, first
        session = Session(spoiled(image, programs.named("ls").id, folder), ["fh envs"], "ls /", "ls")
    return session.status == 2 and session.has("ls: .*is not on the image"), session


TESTS = (test_breakpoint, test_system_call, test_upcall, test_control_transfer, test_environments, test_shared_page, test_typing, test_names,
         test_builds)


def main(image):
    failed = 0
    for test in TESTS:
        name = f"debug: {test.__name__.removeprefix('test_').replace('_', ' ')}"
        good, session = test(image)
        failed += not good
        print(f"ok {name}" if good else f"FAIL {name}: status {session.status}\n{session.text[-2500:]}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
