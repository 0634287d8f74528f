"""How the kernel's records look: structs and enums out of its ELF file's debugging information, by gdb.

Nothing of a record's layout is written down in these scripts; what is read is asked for here by its C name.
Inside of gdb describe() looks the types up; outside, of() has a gdb do so and keeps nothing.
"""
import json
import os
import subprocess

from emulator import Refused

STRUCTS = ("exo_info exo_page exo_env exo_quota exo_caps exo_slot exo_extent exo_io exo_drive exo_bind exo_regs exo_save "
           "exo_upcall_frame cpu x86_cpu").split()
# Each with what its constants' names begin with.
ENUMS = {"exo_env_state": "EXO_ENV_", "exo_page_state": "EXO_PAGE_", "exo_cap_kind": "EXO_CAP_", "exo_quota_kind": "EXO_QUOTA_",
         "exo_extent_state": "EXO_EXTENT_", "exo_io_state": "EXO_IOS_", "exo_io_op": "EXO_IO_", "exo_end": "EXO_END_",
         "exo_table_id": "EXO_TABLE_", "exo_upcall_type": "EXO_UPCALL_"}


class Layout:
    """Structs by tag: (bytes, {field: (offset, bytes of one, how many or None, tag or kind)})."""

    def __init__(self, told):
        self.structs, self.enums = told["structs"], told["enums"]

    def size(self, tag):
        return self.structs[tag][0]

    def offset(self, tag, field):
        return self.structs[tag][1][field][0]

    def decode(self, tag, data, at=0):
        """A record as a dictionary."""
        return {name: self.field(data, at + offset, size, count, kind)
                for name, (offset, size, count, kind) in self.structs[tag][1].items()}

    def field(self, data, at, size, count, kind):
        if kind == "text":
            return data[at:at + count].split(b"\0")[0].decode(errors="replace")
        one = (lambda place: int.from_bytes(data[place:place + size], "little")) if kind == "number" else (
            lambda place: self.decode(kind, data, place))
        return one(at) if count is None else [one(at + i * size) for i in range(count)]

    def value(self, enum, word):
        return next(int(value) for value, known in self.enums[enum].items() if known == word)

    def word(self, enum, value):
        """An enum's constant, in small letters and without what all of them begin with."""
        return self.enums[enum].get(str(value), f"{enum}={value}")


def describe():
    """For a gdb that has the kernel's symbols."""
    import gdb  # pylint: disable=import-error,import-outside-toplevel

    structs, wanted = {}, list(STRUCTS)

    def field(type_):
        """(bytes of one, how many or None, kind) of a field."""
        type_ = type_.strip_typedefs()
        if type_.code == gdb.TYPE_CODE_ARRAY:
            one = type_.target().strip_typedefs()
            size, count, kind = field(one)
            count = type_.sizeof // one.sizeof * (count or 1)
            return (1, count, "text") if one.name == "char" else (size, count, kind)
        if type_.code == gdb.TYPE_CODE_STRUCT:
            wanted.append(type_.tag)
            return type_.sizeof, None, type_.tag
        return type_.sizeof, None, "number"

    while wanted:
        tag = wanted.pop()
        if tag not in structs:
            type_ = gdb.lookup_type("struct " + tag)
            structs[tag] = (type_.sizeof, {part.name: (part.bitpos // 8, *field(part.type)) for part in type_.fields()})
    enums = {}
    for name, prefix in ENUMS.items():
        enums[name] = {part.enumval: part.name.removeprefix(prefix).lower() for part in gdb.lookup_type("enum " + name).fields()}
    return json.loads(json.dumps({"structs": structs, "enums": enums}))


def of(path):
    """The layout of the kernel in that file."""
    here = os.path.dirname(os.path.abspath(__file__))
    script = f"import sys, json; sys.dont_write_bytecode = True; sys.path[:0] = {[here, os.path.dirname(here)]!r}; " \
             "import layout; print(json.dumps(layout.describe()))"
    done = subprocess.run(["gdb", "-nx", "-q", "-batch", "-ex", f"python {script}", path], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, text=True)
    try:
        return Layout(json.loads(done.stdout.splitlines()[-1]))
    except (ValueError, IndexError):
        raise Refused(f"{path}: gdb finds no debugging information of a kernel in it: {done.stderr.strip()[-300:]}") from None
