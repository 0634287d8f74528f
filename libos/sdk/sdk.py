"""Images from the SDK: init and the tools for a program's libOS, a manifest, and fhimage.

Owns ~/.cache/freehold/tools-*, the tools linked with a libOS that is not the usual one: programs that
share files must agree on the file system and the cache's policy, so init and shell are linked with
what the program has.  Used by exo-image and exo-run.
"""
import concurrent.futures
import glob
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

import emulator
import libos

KEPT = 8  # folders of tools in the cache


def command(main, refused):
    """Runs a command and exits with its status; `refused` is that of what makes no sense."""
    try:
        status = main()
        sys.stdout.flush()
    except (libos.Refused, emulator.Refused) as refusal:
        emulator.die(refusal, refused)
    except BrokenPipeError:  # who reads our output had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        status = 141
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)


def config(home):
    """What the SDK was built with: lines NAME=VALUE."""
    with open(f"{home}/config", encoding="utf-8") as source:
        return dict(line.rstrip("\n").split("=", 1) for line in source)


def must(line):
    """What it prints; refused with that when it fails."""
    done = subprocess.run(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        who, text = os.path.basename(line[0]), done.stdout.decode(errors="replace").strip()
        raise libos.Refused(text if text.startswith(f"{who}: ") else f"{who}: {text}")
    return done.stdout.decode(errors="replace")


class Compiler:
    """Debian's gcc, told of our headers, libraries and machine."""

    def __init__(self, home):
        self.home, self.config = home, config(home)
        self.gcc = os.environ.get("REALGCC") or "gcc"
        # What must not be otherwise comes behind what the user says.
        self.first = ["-nostdinc", "-isystem", f"{home}/include", "-isystem", self.ask("-print-file-name=include"),
                      *self.config["cflags"].split()]
        self.last = self.config["cflags_last"].split()

    def ask(self, question):
        try:
            return must([self.gcc, question]).strip()
        except OSError as error:
            raise libos.Refused(f"{self.gcc}: {error.strerror}") from None

    def compiling(self, *words):
        return [self.gcc, *self.first, *words, *self.last]

    def linking(self, words, parts, threads=()):
        """The libOS comes whole, so that its memcpy and friends are found before newlib's; of threads what is called.

        The specs keep gcc from naming its own library folders, where those of the host are."""
        return [self.gcc, *self.first, *self.config["ldflags"].split(), f"-specs={self.home}/link.specs", f"-L{self.home}/lib",
                *words, *self.last,
                "-Wl,--whole-archive", *parts, "-Wl,--no-whole-archive", "-Wl,--start-group", *threads, "-Wl,--end-group",
                "-Wl,--start-group", "-lc", "-lm",
                self.ask("-print-libgcc-file-name"), "-Wl,--end-group"]

    def note(self, line, made):
        """A program's note, as an object."""
        must(self.compiling("-O2", f'-DLIBOS_LINE="{line}"', "-c", f"{self.home}/note.c", "-o", made))
        return made


class Tools:
    """A folder with init and bin/, all of one libOS."""

    def __init__(self, home, notes):
        self.home, self.config = home, config(home)
        self.said = dict(libos.words(self.config["defaults"]))
        shared = [note for note in notes if note.personality() == "posix"]
        self.agree(shared)
        self.own = {}  # objects of users' variants, by what notes call them
        for note in shared:
            self.add(note)
        self.line = "posix " + " ".join(f"{seam}={','.join(values)}" for seam, values in self.said.items())
        usual = "posix " + self.config["defaults"]
        self.folder = f"{home}/boot" if self.line == usual else self.relinked()

    def shared(self):
        """Seams that keep their state where all posix programs of an image see it."""
        return self.config["shared"].split()

    def add(self, note):
        """Tools are to reach every file system that programs can; of other seams there is one."""
        for seam, values in libos.words(note.line):
            if seam not in self.shared():
                continue
            usual = self.said[seam] if seam in libos.GATHERED else []
            self.said[seam] = list(dict.fromkeys(values[:1] + usual + values[1:]))
            self.own.update(note.own(seam, values))

    def agree(self, notes):
        """Of several file systems the first is the root's, which all must be able to reach."""
        for seam in self.shared():
            chosen = {dict((s, v[0]) for s, v in libos.words(note.line)).get(seam): note for note in notes}
            if len(chosen) > 1:
                (one, first), (two, second) = list(chosen.items())[:2]
                raise libos.Refused(f"programs of one image share files and must agree on {seam}: {first.path} has "
                                    f"{seam}={one}, {second.path} has {seam}={two}")

    def relinked(self):
        key = hashlib.sha256(repr((self.line, self.config["build"], sorted(self.own.items()))).encode()).hexdigest()[:16]
        cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "freehold")
        folder = f"{cache}/tools-{key}-{self.config['build']}"
        if os.path.exists(f"{folder}/init"):
            os.utime(folder)
            return folder
        os.makedirs(cache, exist_ok=True)
        for old in sorted(glob.glob(f"{cache}/tools-*-*"), key=os.path.getmtime)[:-KEPT]:
            shutil.rmtree(old, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix="making-", dir=cache) as work:
            self.link_all(work)
            try:
                os.rename(f"{work}/made", folder)
            except OSError:  # somebody else was first
                if not os.path.exists(f"{folder}/init"):
                    raise
        return folder

    def link_all(self, work):
        os.makedirs(f"{work}/made/bin")
        own = {}
        for value, code in self.own.items():
            own[value] = f"{work}/{value}.o"
            with open(own[value], "wb") as out:
                out.write(code)
        self.check_types(own)
        whole = {seam: values for seam, values in self.said.items() if seam not in libos.WANTED}
        parts = [f"{self.home}/libos/core.a", f"{self.home}/libos/posix.a", *libos.parts_of(f"{self.home}/libos", whole, own)]
        compiler = Compiler(self.home)
        note = compiler.note(self.line, f"{work}/note.o")
        names = sorted(name[:-2] for name in os.listdir(f"{self.home}/tools"))
        for name in set(os.listdir(f"{self.home}/boot/bin")) - set(names):  # has a libOS that is not to be replaced
            shutil.copy(f"{self.home}/boot/bin/{name}", f"{work}/made/bin")
        place = {name: f"{work}/made/{name if name == 'init' else 'bin/' + name}" for name in names}
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            list(pool.map(lambda name: must(compiler.linking(
                ["-s", note, f"{self.home}/tools/{name}.o", "-o", place[name]], parts)), names))

    def check_types(self, own):
        """Two versions of one file system, say, of two programs."""
        known = libos.variants(f"{self.home}/libos", "fs")
        libos.check_types([(f"fs={value}", table) for value in self.said["fs"] for table in libos.tables(own.get(value) or known[value])])

    def make_image(self, image, programs, manifest, files=None, size=None):
        """programs: paths that go to /bin beside the tools."""
        with open(f"{self.home}/boot/kernel.bytes", encoding="ascii") as source:
            kernel_bytes = source.read().strip()
        # A program of a tool's name takes its place.
        own = {os.path.basename(path) for path in programs}
        tools = [entry.path for entry in os.scandir(f"{self.folder}/bin") if entry.name not in own]
        must([f"{self.home}/fhimage", "make", "-o", image, "--manifest", manifest, "--loader", f"{self.home}/boot/loader.bin",
              "--kernel", f"{self.home}/boot/kernel.bin", "--kernel-bytes", kernel_bytes, "--init", f"{self.folder}/init",
              *(["--size", size] if size else []), *(["--files", files] if files else []), "--bin", *tools, *programs])


def stripped(path, folder):
    """A copy without symbols, as a program is on an image: its path."""
    copy = os.path.join(folder, os.path.basename(path))
    os.makedirs(folder, exist_ok=True)
    must(["objcopy", "-S", *(f"--remove-section={name}" for name in libos.Note(path).carried), path, copy])
    shutil.copymode(path, copy)
    return copy
