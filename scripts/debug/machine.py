"""What a stopped machine's memory says: its records, its page tables, which program each environment runs.

A Machine reads through its debugger: `read(address, bytes)` of physical memory and `registers()` are all that gdb and
Bochs must do for it.  What was read is kept until forget(), which the debugger calls whenever the machine has run.
"""
import elf
from emulator import Refused

PAGE = 4096
PRESENT, WRITE, LARGE, NO_EXEC = 1, 2, 128, 1 << 63
USER_L4 = 256  # entries of a root table that are the program's half
FRAME_BITS = 0x000ffffffffff000
USER_END = 1 << 47
SPANS = {4: 1 << 39, 3: 1 << 30, 2: 1 << 21, 1: PAGE}  # bytes that an entry of each level covers


class Leaf:
    """A mapping: pages of virtual memory at `va`, `size` bytes long, by one entry of a page table."""

    def __init__(self, va, entry, level, rights, table):
        self.va, self.level, self.table, self.size = va, level, table, SPANS[level]
        self.frame = (entry & FRAME_BITS) // PAGE
        self.rights = rights

    def text(self):
        return "r" + "".join(letter if has else "-" for letter, has in zip("wx", self.rights))


class Machine:
    def __init__(self, layout, kernel, programs, read, registers):
        self.layout, self.kernel, self.programs = layout, kernel, programs
        self.read, self.registers = read, registers
        self.pages, self.known = {}, {}

    def forget(self):
        self.pages.clear()

    # ---- memory ----------------------------------------------------------------------------------

    def physical(self, address, size):
        first, last = address // PAGE, (address + size - 1) // PAGE
        at = first
        while at <= last:  # whole runs of what is not known yet
            end = at
            while end <= last and end not in self.pages:
                end += 1
            if end > at:
                data = self.read(at * PAGE, (end - at) * PAGE)
                for i in range(at, end):
                    self.pages[i] = data[(i - at) * PAGE:(i - at + 1) * PAGE]
            at = max(end, at + 1)
        data = b"".join(self.pages[i] for i in range(first, last + 1))
        return data[address - first * PAGE:address - first * PAGE + size]

    def table(self, frame):
        data = self.physical(frame * PAGE, PAGE)
        return [int.from_bytes(data[i:i + 8], "little") for i in range(0, PAGE, 8)]

    def entry(self, frame, index):
        return int.from_bytes(self.physical(frame * PAGE + index * 8, 8), "little")

    def walk(self, root, va):
        """(level, table's frame, index, entry) from the root down to where the way ends."""
        steps, frame = [], root
        for level in (4, 3, 2, 1):
            index = va // SPANS[level] % 512
            entry = self.entry(frame, index)
            steps.append((level, frame, index, entry))
            if not entry & PRESENT or level == 1 or level < 4 and entry & LARGE:
                break
            frame = (entry & FRAME_BITS) // PAGE
        return steps

    def translate(self, root, va):
        """The physical address; None where nothing is mapped."""
        level, _, _, entry = self.walk(root, va)[-1]
        if not entry & PRESENT:
            return None
        return (entry & FRAME_BITS & -SPANS[level]) + va % SPANS[level]

    def virtual(self, root, va, size):
        """Bytes of an address space; None when a page of them is not mapped."""
        data = b""
        while size > 0:
            at = self.translate(root, va)
            if at is None:
                return None
            part = min(size, PAGE - va % PAGE)
            data += self.physical(at, part)
            va, size = va + part, size - part
        return data

    def word(self, root, va):
        data = self.virtual(root, va % (1 << 64), 8)
        return None if data is None else int.from_bytes(data, "little")

    def leaves(self, frame, level=4, va=0, rights=(True, True), top=USER_L4):
        """Every mapping of the program's half beneath that table."""
        for index, entry in enumerate(self.table(frame)[:top]):
            if not entry & PRESENT:
                continue
            at = va + index * SPANS[level]
            allowed = rights[0] and bool(entry & WRITE), rights[1] and not entry & NO_EXEC
            if level == 1 or level < 4 and entry & LARGE:
                yield Leaf(at, entry, level, allowed, frame)
            else:
                yield from self.leaves((entry & FRAME_BITS) // PAGE, level - 1, at, allowed, 512)

    # ---- the kernel's records --------------------------------------------------------------------

    def kernel_root(self):
        at = self.kernel.address("kernel_root") + self.kernel.physical_offset()
        return int.from_bytes(self.physical(at, 8), "little") // PAGE

    def check(self):
        """Is this the kernel that the symbols are of, and is it up?"""
        note = next(address for kind, _, address, _, _, _, _ in self.kernel.sections if kind == elf.NOTES)
        size = 16 + len(self.kernel.id) // 2
        there = self.physical(note + self.kernel.physical_offset(), size)
        if not any(there):
            raise Refused("the kernel is not loaded yet")
        if there[16:].hex() != self.kernel.id:
            raise Refused(f"the kernel that runs is not {self.kernel.path} (build id {self.kernel.id}): its tables would be misread")
        if not self.kernel_root() or not self.info()["envs"]:
            raise Refused("the kernel has not made its tables yet")

    def variable(self, name, tag, index=0):
        """One record of an array of the kernel's."""
        size = self.layout.size(tag)
        data = self.virtual(self.kernel_root(), self.kernel.address(name) + index * size, size)
        return self.layout.decode(tag, data)

    def array(self, name, tag, count):
        size = self.layout.size(tag)
        data = self.virtual(self.kernel_root(), self.kernel.address(name), size * count)
        return [self.layout.decode(tag, data, i * size) for i in range(count)]

    def number(self, name, index=0):
        """One of an array of 32-bit numbers of the kernel's."""
        return int.from_bytes(self.virtual(self.kernel_root(), self.kernel.address(name) + index * 4, 4), "little")

    def info(self):
        return self.variable("info", "exo_info")

    def count(self, table):
        """Records of one of the kernel's tables, as the info page says."""
        return self.info()["table"][self.layout.value("exo_table_id", table)]["count"]

    def env(self, index):
        return self.variable("envs", "exo_env", index)

    def envs(self):
        """{index: record} of those that exist."""
        return {i: env for i, env in enumerate(self.array("envs", "exo_env", self.info()["envs"]))
                if i and self.layout.word("exo_env_state", env["state"]) != "free"}

    def current(self):
        """Index of the environment that has the CPU; 0: nobody."""
        return self.variable("cpus", "cpu")["current"]

    def frame_record(self, frame):
        if frame >= self.info()["frames"]:
            raise Refused(f"no frame {frame:#x}: there are {self.info()['frames']:#x}")
        return self.variable("pages", "exo_page", frame)

    # ---- programs --------------------------------------------------------------------------------

    def program(self, index):
        """The file that an environment was loaded from, known by the build id in its memory; None: none of ours."""
        env = self.env(index)
        if not env["root"]:
            return None
        key = index, env["gen"]
        if self.known.get(key) is None:
            self.known[key] = self.identify(env["root"])
        return self.known[key]

    def location(self, text):
        """(file, place in it) of PROGRAM:PLACE; the program may be the kernel."""
        program, colon, where = (part.strip() for part in text.partition(":"))
        if not colon or not where:
            raise Refused("usage: break PROGRAM:FUNCTION")
        return (self.kernel if program == self.kernel.name else self.programs.named(program)), where

    def identify(self, root):
        for address in self.programs.load_addresses():
            head = self.virtual(root, address, PAGE)
            found = self.programs.by_id.get(elf.build_id(head)) if head else None
            if found:
                return found
        return None

    def file_at(self, address, index):
        """Whose code is at an address when environment `index` runs."""
        return self.program(index) if address < USER_END else self.kernel

    def named(self, text):
        """The environment meant by a name, an index or an eid."""
        envs = self.envs()
        if text[:1].isdigit():
            try:
                number = int(text, 0)
            except ValueError:
                number = 0
            index = number & 0xffff
            if index in envs and number in (index, envs[index]["gen"] << 16 | index):
                return index
        else:
            found = [i for i, env in envs.items() if env["name"] == text]
            if len(found) == 1:
                return found[0]
            if found:
                raise Refused(f"several environments are named '{text}': {' '.join(map(str, found))}")
        raise Refused(f"no environment '{text}'; there are: " + " ".join(f"{i} ({env['name']})" for i, env in envs.items()))
