#!/usr/bin/python3
"""Are profiles right?  profile_test.py IMAGE

Runs /tests/counted, whose functions say how many instructions they execute (counted.c), under both emulators with
their instruments, and compares with that, and with each other.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

OUT = os.environ.get("O") or "build"
PROFILE = "scripts/profile/profile"
BEFORE, INSIDE, AFTER, DEPTH, CALLS, BYTES = 1000, 50000, 7, 10, 100, 5000


def spin(count):
    return 2 * count + 2


# What counted.c says of each function: in the region "work", and in the whole run.
WORK = {"spin": spin(INSIDE) + 2 * spin(1), "tail": 4, "fill": BYTES + 4 + 1 + 4, "nest": 6 * DEPTH + 4}
WHOLE = {"spin": WORK["spin"] + spin(BEFORE) + spin(AFTER) + spin(2) + spin(3), "tail": 8, "fill": WORK["fill"], "nest": WORK["nest"],
         "deepen": 5 + 1}
# What waits for a device, or is entered by an interrupt, goes by the device's time, which is not the same in both.
TIMED = re.compile(r"kernel:(?!sys_null$)|.*wait|.*:upcall|.*lock")


def profile(image, folder, out=OUT, **settings):
    """(status, what it printed) of one run."""
    known = {**os.environ, "FHIMAGE": os.path.join(OUT, "host", "fhimage"), "CMD": "/tests/counted", "TIMEOUT": "100",
             "O": out, **settings}
    done = subprocess.run([PROFILE, image, folder], env=known, check=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode(errors="replace")


def rows(folder):
    """Instructions of each function itself, as table.txt has them."""
    with open(os.path.join(folder, "table.txt"), encoding="utf-8") as source:
        found = re.findall(r"^ *([\d,]+) +[\d.]+ +[\d,]+ +[\d.]+  (\S+:\S+)$", source.read(), re.MULTILINE)
    return {name: int(count.replace(",", "")) for count, name in found}


def tell(name, why=""):
    print(f"FAIL {name}: {why}" if why else f"ok {name}", flush=True)
    return bool(why)


def wrong(got, wanted):
    """What differs, as text; empty when nothing does."""
    return ", ".join(f"{name} {got.get('counted:' + name)}, not {count}" for name, count in wanted.items()
                     if got.get(f"counted:{name}") != count)


def folded_of(folder):
    """The chains of callers of the last run, as text."""
    with open(os.path.join(folder, "folded.txt"), encoding="utf-8") as source:
        return source.read()


def counts(image, folder):
    """The claims of counted.c on each emulator; for comparison, functions of whole runs, and chains in the region."""
    failed, whole, folded = 0, {}, {}
    for chosen in ("qemu", "bochs"):
        for name, settings, wanted in (("run", {}, WHOLE), ("region", {"REGION": "work"}, WORK)):
            status, text = profile(image, folder, EMU=chosen, PROG="counted", **settings)
            failed += tell(f"counts of the {name} ({chosen})", wrong(rows(folder), wanted) if status == 0 else text)
            if name == "run":
                whole[chosen] = rows(folder)
        folded[chosen] = folded_of(folder)
    return failed, whole, folded


def agreement(whole):
    """Both emulators must count the same, but for what depends on devices."""
    one, other = whole["qemu"], whole["bochs"]
    same = [name for name in one if one[name] == other.get(name)]
    strange = [f"{name} {one.get(name)} {other.get(name)}" for name in one.keys() | other.keys()
               if one.get(name) != other.get(name) and not TIMED.match(name)]
    failed = tell("both emulators agree", "; ".join(strange))
    alike, every = sum(one[name] for name in same), sum(one.values())
    return failed + tell("they agree about most", "" if alike > 0.95 * every > 50000 else f"{alike} of {every} instructions")


def pictures(folded, folder):
    """The chains of callers, of a part without devices, and the picture of them."""
    main = "counted;_start;start_main;start_run;main"
    nests = [f"{main}{';nest' * depth} {6 if depth <= DEPTH else 4}" for depth in range(1, DEPTH + 2)]
    wanted = nests + [f"{main}{';nest' * DEPTH};spin 4", f"{main};spin {spin(INSIDE) + spin(1)}", f"{main};tail 4",
                      f"{main};calls;kernel:call_entry;kernel:sys_null {3 * CALLS}"]
    missing = [line for line in wanted if line not in folded["qemu"].splitlines()]
    failed = tell("who called whom", "\n".join(missing))
    failed += tell("who called whom, on both", "" if folded["qemu"] == folded["bochs"] else "\n".join(folded.values()))
    root = xml.etree.ElementTree.parse(os.path.join(folder, "flame.svg")).getroot()
    titles = [element.text for element in root.iter("{http://www.w3.org/2000/svg}title")]
    return failed + tell("flame graph", "" if any(title.startswith("spin: 100,006 instructions (") for title in titles)
                         else "\n".join(titles))


def faults(image, folder):
    """A call whose push faults: who it calls stands under it, and what is done about the fault beside that."""
    failed = 0
    main = "counted;_start;start_main;start_run;main"
    for chosen in ("qemu", "bochs"):
        profile(image, folder, EMU=chosen, PROG="counted", REGION="fault")
        folded = folded_of(folder)
        wanted = [f"{main};deepen 6", f"{main};deepen;kernel:stub_14 2", f"{main};deepen;spin {spin(3)}"]
        missing = [line for line in wanted if line not in folded.splitlines()]
        failed += tell(f"a call that faults ({chosen})", f"{missing} are not in\n{folded}" if missing else "")
    return failed


def threads(image, folder):
    """Each thread's functions stand under its own: turn() of both spins, yields to the other and spins twice as long."""
    failed = 0
    for chosen in ("qemu", "bochs"):
        profile(image, folder, EMU=chosen, PROG="switching", REGION="threads", CMD="/tests/switching")
        folded = folded_of(folder).splitlines()
        wanted = [f"switching;{chain} {count}" for thread, turns in (("_start;start_main;start_run;main", 1), ("begin;first", 10),
                                                                     ("begin;second", 20))
                  for chain, count in ((f"{thread};turn;spin", turns * spin(100)), (f"{thread};spin", turns * spin(200)))]
        failed += tell(f"threads ({chosen})", "\n".join(set(wanted) - set(folded)))
    return failed


def alike(image, folder):
    """Of two programs that have most pages in common each counts its own runs."""
    failed = 0
    for program, runs in (("true", 2), ("false", 1)):
        profile(image, folder, PROG=program, CMD="/bin/true; /bin/false; /bin/true")
        got = rows(folder).get(f"{program}:_start")
        failed += tell(f"programs that are alike: {program}", "" if got == 2 * runs else f"_start has {got}")
    return failed


def refused(name, image, folder, pattern, **settings):
    status, text = profile(image, folder, **settings)
    return tell(name, "" if status == 2 and re.search(pattern, text) else f"status {status}: {text}")


def other_build(folder):
    """A build folder whose programs are those of the image, but for `counted`, and the path where that is to be."""
    out = os.path.join(folder, "out")
    shutil.copytree(os.path.join(OUT, "apps", "bin"), os.path.join(out, "apps", "bin"),
                    ignore=shutil.ignore_patterns("*.*", "counted"))
    os.symlink(os.path.abspath(os.path.join(OUT, "exo")), os.path.join(out, "exo"))
    return out, os.path.join(out, "apps", "bin", "counted")


def elsewhere(image, folder):
    """A program that is not of the build: known by its file, refused when it is another one by one byte."""
    out, path = other_build(folder)
    own = os.path.join(OUT, "apps", "bin", "counted")
    status, text = profile(image, folder, out=out, ELF=own, PROG="counted", REGION="work")
    failed = tell("a program from elsewhere", wrong(rows(folder), WORK) if status == 0 else text)
    failed += refused("no such program elsewhere", image, folder, "ELF=nix: there is no such", ELF="nix")
    with open(own, "rb") as source:
        data = source.read()
    code = data.index(b"\x48\x89\xf8\x48\xff\xc8\x75\xfb\xc3")  # spin
    with open(path, "wb") as target:
        target.write(data[:code + 8] + b"\xcb" + data[code + 9:])
    return failed + refused("another build", image, folder, "the image has another counted", out=out)


def refusals(image, folder):
    failed = refused("an unknown program", image, folder, "no program 'nix'; there are: .*counted", PROG="nix")
    failed += refused("an unknown region", image, folder, r"no region nix; there are: work \(counted\), tail \(counted\)",
                      REGION="nix", PROG="counted")
    failed += refused("an unknown emulator", image, folder, "there are qemu, bochs and both", EMU="vax")
    return failed + refused("a program that does not run", image, folder, "nothing was executed in ls", PROG="ls")


def main():
    image = sys.argv[1]
    with tempfile.TemporaryDirectory(prefix="profile-", dir=os.path.join(OUT, "run")) as folder:
        failed, whole, folded = counts(image, folder)
        failed += agreement(whole)
        failed += pictures(folded, folder)
        failed += faults(image, folder)
        failed += threads(image, folder)
        failed += alike(image, folder)
        failed += refusals(image, folder)
        failed += elsewhere(image, folder)
    return 1 if failed else 0


sys.exit(main())
