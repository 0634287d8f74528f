"""What profile and trace have in common: names of programs and regions, building the instruments, booting.

An instrument is a library that an emulator loads (qemu.c, bochs.c).  It is compiled when it is first wanted
and when its sources are newer, and is told what to do by a control file (control.h).
"""
import glob
import os
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), os.path.join(os.path.dirname(HERE), "debug")]
import elf  # noqa: E402
import emulator  # noqa: E402
import settings  # noqa: E402
import terminal  # noqa: E402

Refused = emulator.Refused
SOURCES = {"qemu": ["qemu.c"], "bochs": ["bochs.c", "trace.c", "watch.c"]}
COMMON = ["code.c", "control.c", "guest.c", "image.c", "stack.c", "tree.c"]
FLAGS = ["-std=gnu11", "-O2", "-g", "-Wall", "-Wextra", "-Wstrict-prototypes", "-Wmissing-prototypes", "-Werror",
         "-shared", "-fPIC", "-fvisibility=hidden"]


def out():
    return os.environ.get("O") or "build"


# ---- ELF files -----------------------------------------------------------------------------------

def section(path, wanted):
    """The bytes of an ELF file's section; empty when it has none of that name; None: no ELF file."""
    with open(path, "rb") as source:
        data = source.read()
    if data[:4] != b"\x7fELF":
        return None
    table, = struct.unpack_from("<Q", data, 40)
    count, names = struct.unpack_from("<HH", data, 60)
    heads = [struct.unpack_from("<IIQQQQ", data, table + 64 * i) for i in range(count)]
    for head in heads:
        start = heads[names][4] + head[0]
        if data[start:data.index(0, start)] == wanted.encode():
            return data[head[4]:head[4] + head[5]]
    return b""


def regions(path):
    """Names of the regions that a program marks (libos/include/libos/region.h), in order."""
    data, at, found = section(path, ".debug_regions") or b"", 0, []
    while at + 16 <= len(data):
        end = data.index(0, at + 9)
        found.append(data[at + 9:end].decode())
        at += (end + 1 - at + 7) // 8 * 8
    return list(dict.fromkeys(found))


def programs():
    """Every program that was built, and those that ELF names: name and ELF file with symbols."""
    folder = os.path.join(out(), "apps", "bin")
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    found = {name: os.path.join(folder, name) for name in names if "." not in name}
    for path in os.environ.get("ELF", "").split():
        if not os.path.isfile(path) or section(path, ".symtab") is None:
            raise Refused(f"ELF={path}: there is no such ELF file")
        found[os.path.basename(path)] = os.path.abspath(path)
    if not found:
        raise Refused(f"no programs in {folder} (make image)")
    return found


def kernel():
    path = os.path.join(out(), "exo", "checked" if os.environ.get("CHECK") == "1" else "", "kernel.elf")
    if not os.path.exists(path):
        raise Refused(f"{path} is not there (make image)")
    return path


def known_program(name):
    if name and name not in programs():
        raise Refused(elf.suggest("program", name, programs()))
    return name


def known_function(text):
    """(program or kernel, function) of PROGRAM:FUNCTION, both of which must be there."""
    program, colon, name = text.partition(":")
    if not colon:
        raise Refused(f"{text}: say PROGRAM:FUNCTION or kernel:FUNCTION")
    elf.File(kernel() if program == "kernel" else programs()[known_program(program)], program).function(name)
    return program, name


def known_region(name, program):
    """The region, which the program (any, when none is named) must have."""
    if not name:
        return name
    chosen = {program: programs()[program]} if program else programs()
    there = {program: regions(path) for program, path in chosen.items()}
    if not any(name in each for each in there.values()):
        told = [f"{each} ({program})" for program, found in there.items() for each in found]
        raise Refused(f"there is no region {name}; there are: {', '.join(told) or 'none'}")
    return name


# ---- the instrument ------------------------------------------------------------------------------

def instrument(chosen):
    """The library for an emulator, compiled when it is not there or not new."""
    folder = os.path.join(out(), "profile")
    os.makedirs(folder, exist_ok=True)
    library = os.path.join(folder, f"{chosen}.so")
    sources = [os.path.join(HERE, name) for name in SOURCES[chosen] + COMMON]
    include = os.path.join(HERE, "..", "..", "exo", "include")
    headers = glob.glob(f"{HERE}/*.h") + glob.glob(f"{include}/exo/*.h")
    new = max(map(os.path.getmtime, sources + headers))
    if not os.path.exists(library) or os.path.getmtime(library) < new:
        done = subprocess.run(["gcc", *FLAGS, f"-I{include}", "-o", f"{library}.{os.getpid()}", *sources], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise Refused(f"the instrument for {chosen} does not compile:\n{done.stdout.decode(errors='replace')}")
        os.replace(f"{library}.{os.getpid()}", library)
    return os.path.abspath(library)


def run(image, chosen, command, control, quiet=False, cut=False):
    """Boots a copy of the image in an emulator with its instrument; control: the first lines of its file.

    The command's output is printed unless quiet.  cut: the instrument may end the machine when it has seen enough.
    Returns what the instrument wrote.
    """
    machine = emulator.Settings(chosen, settings.number("MEM", 128), 0 if chosen == "qemu" else None)
    machine.instrument = instrument(chosen)
    scratch = os.path.join(out(), "run")
    with emulator.Boot(machine, settings.kept_disk(image) or image, scratch) as boot:
        result = boot.path("result")
        lines = [f"out {result}", *control, f"image kernel {kernel()}"]
        lines += [f"image {name} {path}" for name, path in programs().items()]
        with open(boot.path("control"), "w", encoding="utf-8") as target:
            target.write("\n".join(lines) + "\n")
        machine.environment = {"PROFILE_CONTROL": boot.path("control")}
        emulator.set_command(boot.disk, command)
        plain = terminal.Plain()
        status, reason = boot.batch(settings.number("TIMEOUT", 600), (lambda _: None) if quiet else plain.take)
        plain.put(plain.held)
        written = os.path.exists(result) and os.path.getsize(result)
        if not written or reason and not cut:
            raise Refused(f"{reason or 'the instrument wrote nothing'}\n{boot.complaint()}")
        if status and not cut:
            print(f"{os.path.basename(sys.argv[0])}: the command's status is {status}", file=sys.stderr)
        with open(result, encoding="utf-8", errors="replace") as source:
            return source.read()
