"""What the tools of the SDK know of libOSes: seams, variants, lines such as `posix fs=ext2 buf=lru`,
and the note that says which one a program has.

A folder of archives (libos/libos.mk says which) is all that it knows them from: a variant is there when
SEAM-VARIANT.a is, and what a variant must define is what all those of its seam define and the rest of
the libOS uses.  Used by exo-cc, exo-image and exo-run; and by the makefiles, as
    libos.py check FOLDER SEAM FILE OBJECT     does the user's own FILE, compiled to OBJECT, fit SEAM?
"""
import glob
import hashlib
import os
import re
import struct
import subprocess
import sys
import tempfile

PERSONALITIES = ("posix", "bare")
WANTED = ("sched",)  # seams of which a program gets what it calls, and its note says nothing
NOTE_SECTION = ".note.freehold"
GATHERED = {"fs": ("fs_variants", "FS_VARIANT")}  # seams whose variants are found in a section; the macro that puts one there
CARRIED = ".freehold."  # sections whose names begin so hold the user's own variants, as objects


FS_TYPE_USER = 0x10000  # as in libos/fs.h
MAY_LACK = {"make", "advise", "check", "walk"}  # operations of a file system that may be NULL


class Refused(Exception):
    """What was asked for makes no sense; the text says why."""


def variants(folder, seam):
    """The seam's variants that are there: a dictionary of paths by name."""
    found = sorted(glob.glob(f"{folder}/{seam}-*.a"))
    return {os.path.basename(path)[len(seam) + 1:-2]: path for path in found}


def symbols(path, wanted):
    """Global symbols of an object or archive: `defined` or `undefined` ones."""
    done = subprocess.run(["nm", "-gP", f"--{wanted}-only", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise Refused(f"{path}: {done.stderr.decode(errors='replace').strip()}")
    return {line.split()[0] for line in done.stdout.decode().splitlines() if line and not line.endswith("]:")}


def needs(folder, seam):
    """What every variant of the seam must define."""
    own = variants(folder, seam).values()
    others = set(glob.glob(f"{folder}/*.a")) - set(own)
    common = set.intersection(*(symbols(path, "defined") for path in own)) if own else set()
    used = set().union(*(symbols(path, "undefined") for path in others))
    return common & used


def check_object(folder, seam, name, path):
    """Refuses a user's variant that lacks something."""
    missing = sorted(needs(folder, seam) - symbols(path, "defined"))
    if missing:
        raise Refused(f"{seam}={name}: this file is to be the seam {seam}, but does not define: {', '.join(missing)}")
    section, macro = GATHERED.get(seam, (None, None))
    if not section:
        return
    found = tables(path)
    if not found:
        raise Refused(f"{seam}={name}: this file is to be the seam {seam}, but registers no variant: "
                      f"it lacks {macro}(its operations), which fills the section {section}")
    for table in found:
        if table.lacks:
            raise Refused(f"{seam}={name}: the operations of '{table.name}' lack: {', '.join(table.lacks)}")
        if table.type < FS_TYPE_USER:
            raise Refused(f"{seam}={name}: '{table.name}' has type {table.type}, which is not for files of your own: "
                          f"FS_TYPE_USER ({FS_TYPE_USER:#x}) and above are")


def check_types(owners):
    """Of file systems [(who has it, table)]: programs find one by its type, and people by its name."""
    seen = {}
    for who, table in owners:
        for key in (f"type {table.type:#x}", f"name '{table.name}'"):
            other = seen.setdefault(key, who)
            if other != who:
                raise Refused(f"{other} and {who} cannot be used together: both have the {key}")


def words(line):
    """[(seam, values)] in order; a personality is (None, [it]).  A word without `=` goes on with the list before it."""
    found = []
    for word in re.split(r"[\s,]+", line.strip(" \t\n,")):
        seam, equals, value = word.partition("=")
        if equals and seam:
            found.append((seam, [value] if value else []))
        elif word in PERSONALITIES:
            found.append((None, [word]))
        elif word and found and found[-1][0]:
            found[-1][1].append(word)
        elif word:
            raise Refused(f"libos '{line}': what is '{word}'?  It is posix or bare, and SEAM=VARIANT ...")
    return found


def is_file(value):
    """Is it a path, rather than the name of a variant?"""
    return "/" in value or value.endswith((".c", ".S", ".o"))


class Choice:
    """A personality, and for each of its seams what was chosen; checked against what is there."""

    def __init__(self, config, folder, line):
        self.config, self.folder, said = config, folder, words(line)
        who = [values[0] for seam, values in said if seam is None]
        if len(set(who)) > 1:
            raise Refused(f"libos '{line}': a program is posix or bare, not both")
        self.personality = who[0] if who else "posix"
        seams = config["seams"].split()
        if self.personality == "bare":
            named = [seam for seam, _ in said]
            seams = [seam for seam in config["bare_may"].split() if seam in named] + config["bare_seams"].split() + list(WANTED)
        self.values = {seam: values for seam, values in words(config["defaults"]) if seam in seams}
        for seam, values in ((seam, values) for seam, values in said if seam):
            if seam not in seams:
                raise Refused(self.no_seam(seam, seams))
            self.values[seam] = values
        for seam in seams:
            self.check(seam)

    def no_seam(self, seam, seams):
        known = self.config["seams"].split()
        what = f"{self.personality} has no seam {seam}" if seam in known else f"there is no seam {seam}"
        return f"{what}; {self.personality} has: {' '.join(seams)}"

    def check_own(self, own):
        """own: objects by the paths of the user's files.  Do the file systems go together?"""
        known, values = variants(self.folder, "fs"), self.values.get("fs", [])
        check_types([(f"fs={value}", table) for value in values for table in tables(own.get(value) or known[value])])

    def check(self, seam):
        known = variants(self.folder, seam)
        if not self.values[seam]:
            raise Refused(f"{seam}=: which one?  There are: {' '.join(known)}")
        for value in self.values[seam]:
            if is_file(value):
                if not os.path.isfile(value):
                    raise Refused(f"{seam}={value}: there is no such file")
            elif value not in known:
                raise Refused(f"there is no {seam}={value}; there are: {' '.join(seam + '=' + name for name in known)}, "
                              "and files of your own")
        if len(self.values[seam]) > 1:
            self.check_together(seam, known)

    def check_together(self, seam, known):
        """Those that define the same thing exclude each other."""
        seen = {}
        for value in self.values[seam]:
            for symbol in () if is_file(value) else symbols(known[value], "defined"):
                if seen.setdefault(symbol, value) != value:
                    raise Refused(f"{seam}={seen[symbol]} and {seam}={value} cannot be in one program: both define {symbol}")

    def line(self):
        """Every seam, as the note tells it: a user's file by its name and contents."""
        return " ".join([self.personality] + [f"{seam}={','.join(tell(value) for value in values)}"
                                              for seam, values in self.values.items() if seam not in WANTED])

    def files(self):
        """The user's own: (seam, path)."""
        return [(seam, value) for seam, values in self.values.items() for value in values if is_file(value)]

    def archives(self, own):
        """What is linked whole; own: objects by the paths of the user's files."""
        whole = {seam: values for seam, values in self.values.items() if seam not in WANTED}
        return [f"{self.folder}/core.a", f"{self.folder}/{self.personality}.a"] + parts_of(self.folder, whole, own)

    def threads(self, own):
        """What is linked as far as the program calls it."""
        called = {seam: values for seam, values in self.values.items() if seam in WANTED}
        return ([f"{self.folder}/pthread.a"] if self.personality == "posix" else []) + parts_of(self.folder, called, own)


def parts_of(folder, seams, own):
    """Archives and objects for {seam: values}, in their order: the first file system is the root's."""
    found = []
    for seam, values in seams.items():
        common = f"{folder}/{seam}.a"
        found += [common] if os.path.exists(common) else []
        found += [own.get(value) or f"{folder}/{seam}-{value}.a" for value in values]
    return found


def tell(value):
    if not is_file(value):
        return value
    with open(value, "rb") as source:
        return f"{os.path.basename(value)}@{hashlib.sha256(source.read()).hexdigest()[:8]}"


class Elf:
    """The sections of an ELF64 file, by name."""

    def __init__(self, path):
        try:
            with open(path, "rb") as source:
                self.data = source.read()
        except OSError as error:
            raise Refused(f"{path}: {error.strerror}") from None
        if self.data[:6] != b"\x7fELF\2\1" or len(self.data) < 64:
            raise Refused(f"{path}: not a 64-bit ELF file")
        try:
            self.sections = self.read_sections()
        except (struct.error, ValueError, IndexError):
            raise Refused(f"{path}: its table of sections is damaged") from None

    def read_sections(self):
        offset, = struct.unpack_from("<Q", self.data, 40)
        size, count, names = struct.unpack_from("<HHH", self.data, 58)
        heads = [struct.unpack_from("<IIQQQQ", self.data, offset + size * i) for i in range(count)]
        self.names, found = [], {}
        for name, _, _, _, at, length in heads:
            start = heads[names][4] + name
            self.names.append(self.data[start:self.data.index(b"\0", start)].decode())
            found[self.names[-1]] = (at, length)
        return found

    def section(self, name):
        at, length = self.sections.get(name, (0, 0))
        return self.data[at:at + length]

    def symbol_places(self):
        """Of each symbol of an object: (section by name, offset in it)."""
        return [(self.names[index] if index < len(self.names) else "", value)
                for _, _, _, index, value, _ in struct.iter_unpack("<IBBHQQ", self.section(".symtab"))]

    def relocations(self, name):
        """What the addresses in a section of an object are: {offset: (section, offset)}."""
        places = self.symbol_places()
        return {at: (places[info >> 32][0], places[info >> 32][1] + addend)
                for at, info, addend in struct.iter_unpack("<QQq", self.section(".rela" + name))}


class Table:
    """The operations of a file system, struct fs_ops, as they stand in an object."""

    def __init__(self, elf, section, at):
        self.type, = struct.unpack_from("<I", elf.section(section), at)
        places = elf.relocations(section)
        where, offset = places.get(at + 8, ("", 0))
        self.name = elf.section(where)[offset:].split(b"\0")[0].decode(errors="replace")
        self.lacks = [name for i, name in enumerate(operations()) if name not in MAY_LACK and at + 24 + 8 * i not in places]


def operations():
    """Those of struct fs_ops in their order, which follow type, name and traits: pointers all."""
    here = os.path.dirname(os.path.realpath(__file__))
    for path in (f"{here}/include/libos/fs.h", f"{here}/../include/libos/fs.h"):  # of the SDK, of the tree
        if os.path.exists(path):
            with open(path, encoding="utf-8") as source:
                text = source.read()
            return re.findall(r"\(\*(\w+)\)\(", text[text.index("struct fs_ops {"):])
    raise Refused("libos/fs.h is not where it was installed")


def tables(path):
    """The file systems that an object, or those of an archive, register."""
    with tempfile.TemporaryDirectory(prefix="exo-ops-") as work:
        paths = [path]
        if path.endswith(".a"):
            subprocess.run(["ar", "x", "--output", work, path], check=True)
            paths = glob.glob(f"{work}/*.o")
        places = [(elf, *place) for elf in map(Elf, paths) for place in elf.relocations("fs_variants").values()]
    if not all(section for _, section, _ in places):
        raise Refused(f"{path}: what FS_VARIANT names is not in the same file")
    return [Table(*place) for place in places]


def carried_name(seam, i):
    """Of the section that holds a seam's i-th variant of the user's own."""
    return f"{CARRIED}{seam}.{i}"


class Note:
    """What libos/note.c put into a program; and the variants of the user's own that it carries."""

    def __init__(self, path):
        elf = Elf(path)
        note = elf.section(NOTE_SECTION)
        if len(note) < 36 or note[12:21] != b"Freehold\0":
            raise Refused(f"{path}: not a program for Freehold, or of an SDK without notes: exo-cc makes them")
        self.path = path
        self.abi, self.start, self.segment = struct.unpack_from("<III", note, 24)
        self.line = note[36:].split(b"\0")[0].decode(errors="replace")
        self.carried = {name: elf.section(name) for name in elf.sections if name.startswith(CARRIED)}

    def own(self, seam, values):
        """Of a seam's variants those of the user's own, as the line tells them: their objects."""
        told = [value for value in values if "@" in value]
        found = {value: self.carried.get(carried_name(seam, i)) for i, value in enumerate(told)}
        if None in found.values():
            raise Refused(f"{self.path}: was linked with a {seam} of its own, and does not carry it any more")
        return found

    def personality(self):
        return self.line.split()[0]

    def describe(self):
        joins = f", shared segment version {self.segment}" if self.personality() == "posix" else ""
        return f"{self.path}: {self.line}\n{self.path}: for kernel ABI version {self.abi}{joins}"


def main(arguments):
    if len(arguments) != 5 or arguments[0] != "check":
        sys.exit("usage: libos.py check FOLDER SEAM FILE OBJECT")
    try:
        check_object(*arguments[1:])
    except Refused as refusal:
        sys.exit(str(refusal))


if __name__ == "__main__":
    main(sys.argv[1:])
