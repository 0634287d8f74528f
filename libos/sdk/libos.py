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

PERSONALITIES = ("posix", "bare")
WANTED = ("sched",)  # seams of which a program gets what it calls, and its note says nothing
NOTE_SECTION = ".note.freehold"
GATHERED = {"fs": ("fs_variants", "FS_VARIANT")}  # seams whose variants are found in a section; the macro that puts one there
CARRIED = ".freehold."  # a section of this name and a seam's holds the user's own variant, as an object


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
    if section and not Elf(path).section(section):
        raise Refused(f"{seam}={name}: this file is to be the seam {seam}, but registers no variant: "
                      f"it lacks {macro}(its operations), which fills the section {section}")


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

    def archives(self):
        """What is linked whole besides the user's own files."""
        return [f"{self.folder}/core.a", f"{self.folder}/{self.personality}.a"] + self.of_seams(wanted=False)

    def threads(self):
        """What is linked as far as the program calls it."""
        return ([f"{self.folder}/pthread.a"] if self.personality == "posix" else []) + self.of_seams(wanted=True)

    def of_seams(self, wanted):
        found = []
        for seam, values in self.values.items():
            if (seam in WANTED) != wanted:
                continue
            common = f"{self.folder}/{seam}.a"
            found += [common] if os.path.exists(common) else []
            found += [f"{self.folder}/{seam}-{value}.a" for value in values if not is_file(value)]
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
        found = {}
        for name, _, _, _, at, length in heads:
            start = heads[names][4] + name
            found[self.data[start:self.data.index(b"\0", start)].decode()] = (at, length)
        return found

    def section(self, name):
        at, length = self.sections.get(name, (0, 0))
        return self.data[at:at + length]


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
        self.carried = {name[len(CARRIED):]: elf.section(name) for name in elf.sections if name.startswith(CARRIED)}

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
