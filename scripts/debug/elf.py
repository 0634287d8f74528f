"""ELF files as debuggers want them: build ids, functions by name and by address, where each address was compiled from.

Owns what is known of the kernel's file and of every program that was built; nothing of a running machine.
Used inside of gdb (gdb_session.py) and outside (bochs).
"""
import bisect
import difflib
import mmap
import os
import struct
import subprocess

from emulator import Refused

BUILD_ID = 3               # of a note of GNU's
LOAD, NOTE = 1, 4          # types of segments
SYMBOLS, NOTES = 2, 7      # types of sections
IN_MEMORY, EXECUTABLE = 2, 4  # flags of sections


def suggest(kind, name, names):
    """The message for a name that does not exist: the nearest ones, or all when they are few."""
    names = sorted(set(names))
    near = names if len(names) <= 150 else difflib.get_close_matches(name, names, 8, 0.5)
    return f"no {kind} '{name}'" + (f"; there are: {' '.join(near)}" if near else f"; there are {len(names)}")


def notes(data):
    """(owner, type, text) of each ELF note; a damaged one is the last."""
    at = 0
    while at + 12 <= len(data):
        owner, size, kind = struct.unpack_from("<III", data, at)
        start = at + 12 + (owner + 3 & ~3)
        yield data[at + 12:at + 12 + owner].rstrip(b"\0"), kind, data[start:start + size]
        at = start + (size + 3 & ~3)


def segments(head):
    """(type, address in the file, virtual and physical address, bytes in the file) by an ELF file's first bytes."""
    if head[:6] != b"\x7fELF\x02\x01":
        return []
    table, size, count = struct.unpack_from("<Q14xHH", head, 32)
    found = []
    for at in range(table, table + size * count, size):
        if at + 40 <= len(head):
            kind, _, offset, virtual, physical, length = struct.unpack_from("<IIQQQQ", head, at)
            found.append((kind, offset, virtual, physical, length))
    return found


def build_id(data):
    """Of an ELF file, or of its first page in memory; None when there is none in that."""
    for kind, offset, _, _, length in segments(data):
        if kind == NOTE:
            for owner, what, text in notes(data[offset:offset + length]):
                if owner == b"GNU" and what == BUILD_ID:
                    return text.hex()
    return None


class File:
    """One linked program, or the kernel."""

    def __init__(self, path, name=None):
        self.path, self.name = path, name or os.path.basename(path)
        with open(path, "rb") as source:
            self.data = source.read()
        self.segments = segments(self.data)
        self.sections = self.read_sections()
        self.id = build_id(self.data) or self.section_id()
        self.table = None

    def read_sections(self):
        """(type, flags, address, offset, size, link, entry size) of each section."""
        table, = struct.unpack_from("<Q", self.data, 40)
        size, count = struct.unpack_from("<HH", self.data, 58)
        return [struct.unpack_from("<4xIQQQQI12xQ", self.data, table + i * size) for i in range(count)]

    def section_id(self):
        """The kernel has no program header for its notes."""
        for kind, _, _, offset, size, _, _ in self.sections:
            if kind == NOTES:
                for owner, what, text in notes(self.data[offset:offset + size]):
                    if owner == b"GNU" and what == BUILD_ID:
                        return text.hex()
        return None

    def load_address(self):
        return min(virtual for kind, _, virtual, _, _ in self.segments if kind == LOAD)

    def physical_offset(self):
        """What to add to a virtual address of the file to get where it is loaded."""
        return next(physical - virtual for kind, _, virtual, physical, _ in self.segments if kind == LOAD)

    def symbols(self):
        """(address, size, name, whether it is code), by address."""
        if self.table is None:
            self.table = sorted(self.read_symbols())
            self.code = [entry for entry in self.table if entry[3]]
            self.starts = [entry[0] for entry in self.code]
        return self.table

    def read_symbols(self):
        for kind, _, _, offset, size, link, entry in self.sections:
            if kind != SYMBOLS:
                continue
            names = self.sections[link][3]
            for at in range(offset + entry, offset + size, entry):
                name, info, _, section, value, length = struct.unpack_from("<IBBHQQ", self.data, at)
                flags = self.sections[section][1] if 0 < section < len(self.sections) else 0
                if flags & IN_MEMORY and info & 15 in (0, 1, 2):  # untyped as in assembly, data, functions
                    end = self.data.index(b"\0", names + name)
                    yield value, length, self.data[names + name:end].decode(), bool(flags & EXECUTABLE)

    def functions(self):
        self.symbols()
        return [name for _, _, name, _ in self.code]

    def address(self, name):
        return self.symbol(name)[0]

    def size(self, name):
        return self.symbol(name)[1]

    def symbol(self, name):
        """Its entry; of a static one that another name made the linker rename, too."""
        for like in (name, name + ".lto_priv.0"):
            for entry in self.symbols():
                if entry[2] == like:
                    return entry
        raise Refused(f"{self.name}: {suggest('symbol', name, [entry[2] for entry in self.table])}")

    def function(self, name):
        self.symbols()
        for value, _, symbol, _ in self.code:
            if symbol == name:
                return value
        raise Refused(f"{self.name}: {suggest('function', name, self.functions())}")

    def symbol_at(self, address):
        """(name, offset into it) of the code at an address; None outside of all code."""
        self.symbols()
        i = bisect.bisect_right(self.starts, address) - 1
        if i < 0 or not self.holds_code(address):
            return None
        while i > 0 and self.starts[i - 1] == self.starts[i]:
            i -= 1
        return self.code[i][2], address - self.starts[i]

    def holds_code(self, address):
        return any(flags & EXECUTABLE and start <= address < start + size for _, flags, start, _, size, _, _ in self.sections)

    def lines(self, addresses):
        """`file:line` for each address, empty where nothing is known; `... in file:line` where that was inlined."""
        done = subprocess.run(["addr2line", "-i", "-a", "-e", self.path], input="\n".join(map(hex, addresses)), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        here = os.getcwd() + "/"
        told = []
        for line in done.stdout.splitlines():
            if line.startswith("0x"):
                told.append([])
            elif "?" not in line:
                told[-1].append(line.split(" ")[0].removeprefix(here))
        return [" in ".join(places) for places in told] or [""] * len(addresses)


class Programs:
    """Every program in $O/apps/bin, by name and by build id."""

    def __init__(self, folder):
        self.by_name, self.by_id = {}, {}
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            path = os.path.join(folder, name)
            if "." in name or not os.path.isfile(path):
                continue
            file = File(path)
            self.by_name[name] = file
            self.by_id[file.id] = file

    def named(self, name):
        if name not in self.by_name:
            raise Refused(suggest("program", name, self.by_name))
        return self.by_name[name]

    def load_addresses(self):
        return sorted({file.load_address() for file in self.by_name.values()})


def holds(image, build):
    """Does the image have a file of that build, the kernel's or a program's, somewhere?"""
    with open(image, "rb") as source, mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(bytes.fromhex(build)) >= 0


def on_image(file, image):
    """Refuses a program that is not what the image has: its breakpoints would be anywhere."""
    if not file.id or not holds(image, file.id):
        raise Refused(f"{file.name}: {file.path} (build id {file.id}) is not on the image, which has another build of it, or none")
