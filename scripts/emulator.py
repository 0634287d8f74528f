"""One boot of an image in QEMU or Bochs: used by scripts/run and scripts/test.

The guest speaks through two ports.  COM1 carries what a person would see at the terminal, and nothing
else.  Port 0xE9 carries the kernel's log; the line `freehold: halt STATUS` there is the last word of
an orderly end, and `freehold: panic ...` of any other.

A Boot owns one private folder (its log, its configuration, its copy of the disk) and one process
group; both are gone after close(), whatever happened in between.
"""
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

OUT_OF_TIME = 124  # as timeout(1) says it
NO_STATUS = 125    # the machine ended, or was ended, without saying how
GRACE = 1.0        # seconds between the log's last word and the end of the emulator
TICK = 0.02        # seconds between looks at the logs

HALT = re.compile(rb"^freehold: halt (\d+)\r?$", re.MULTILINE)
PANIC = re.compile(rb"^freehold: panic.*$", re.MULTILINE)

BOCHSRC = """\
config_interface: textconfig
display_library: rfb, options="timeout=0"
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
cpu: model=corei7_skylake_x, count=1, ips=100000000, reset_on_triple_fault=0, ignore_bad_msrs=1
memory: guest={memory}, host={host}
clock: sync=none, time0=1767225600, rtc_sync=1
pci: enabled=1, chipset=i440fx
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=disk, path="{disk}", mode=flat
boot: disk
com1: enabled=1, mode={mode}, dev={device}
port_e9_hack: enabled=1
log: {work}/bochs.log
panic: action=fatal
error: action=report
speaker: enabled=0
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
"""


class Refused(Exception):
    """The settings make no sense; the text says why."""


class Settings:
    """How to boot; see `make help` for what each means."""

    def __init__(self, emulator="qemu", memory=128, icount=None, gdb="", cpu="", extra=""):
        if emulator not in ("qemu", "bochs"):
            raise Refused(f"EMU={emulator}: there are qemu and bochs")
        if not 1 <= memory <= 1 << 20:
            raise Refused(f"MEM={memory}: it is a number of MiB, 1 to 1048576")
        for value, name in ((icount is not None, "ICOUNT"), (gdb, "GDB"), (cpu, "CPU"), (extra, "QEMU_EXTRA")):
            if value and emulator == "bochs":
                raise Refused(f"{name} is for EMU=qemu; Bochs cannot do it")
        self.emulator, self.memory, self.icount = emulator, memory, icount
        self.gdb, self.cpu, self.extra = gdb, cpu or "max", extra
        self.instrument = ""   # a library that looks into the emulator (scripts/profile),
        self.environment = {}  # and what it is told


def private_copy(image, folder):
    """A copy of the image that costs only the blocks that were written."""
    copy = os.path.join(folder, "disk.img")
    subprocess.run(["cp", "--reflink=auto", "--sparse=always", image, copy], check=True)
    return copy


def set_command(image, text):
    """Tells the image what to run when it boots; empty: a shell at the terminal."""
    tool = os.environ.get("FHIMAGE") or "build/host/fhimage"
    if not os.access(tool, os.X_OK):
        raise Refused(f"{tool} is not there (make image)")
    done = subprocess.run([tool, "boot-args", image, text], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise Refused(f"{tool} boot-args: {done.stdout.decode(errors='replace').strip()}")


def lock(image):
    """Keeps a disk to ourselves until the returned file is closed; both emulators would share it."""
    held = open(image, "rb+")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        held.close()
        raise Refused(f"{image} is in use by another run") from None
    return held


class Boot:
    """One run of one emulator on a disk that is ours alone."""

    def __init__(self, settings, disk, scratch, keep_disk=False):
        self.settings = settings
        os.makedirs(scratch, exist_ok=True)
        self.work = tempfile.mkdtemp(prefix="boot-", dir=scratch)
        self.process = None
        self.held = None
        try:
            if keep_disk:
                self.held = lock(disk)
            self.disk = os.path.abspath(disk) if keep_disk else private_copy(disk, self.work)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def path(self, name):
        return os.path.join(self.work, name)

    def qemu(self, serial):
        """QEMU's command line; serial is what its -serial takes."""
        chosen = self.settings
        line = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-machine", "pc,accel=tcg",
                "-cpu", chosen.cpu, "-m", str(chosen.memory), "-drive",
                f"file={self.disk.replace(',', ',,')},format=raw,if=ide,index=0", "-display", "none",
                "-serial", serial, "-monitor", "none", "-no-reboot", "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04",
                "-debugcon", f"file:{self.path('e9').replace(',', ',,')}",
                "-global", "isa-debugcon.iobase=0xe9"]
        if chosen.icount is not None:  # its clock goes 2^icount ns an instruction
            line += ["-icount", f"shift={chosen.icount},sleep=off", "-rtc", "base=2026-01-01T00:00:00,clock=vm"]
        if chosen.gdb:
            line += ["-S", "-gdb", chosen.gdb]
        if chosen.instrument:
            line += ["-plugin", chosen.instrument.replace(",", ",,")]
        return line + chosen.extra.split()

    def bochs(self, mode, device, commands="c\n"):
        """Bochs' command line; COM1 is the device, opened as mode says.  Its log port is its stdout.

        Its debugger does the commands, or without any reads them from its standard input."""
        with open(self.path("bochsrc"), "w") as out:
            out.write(BOCHSRC.format(memory=self.settings.memory, host=min(self.settings.memory, 1024),
                                     disk=self.disk, mode=mode, device=device, work=self.work))
        line = ["stdbuf", "-oL" if commands else "-o0", "bochs-bin", "-unlock", "-q", "-f", self.path("bochsrc")]
        if commands:
            with open(self.path("go"), "w") as out:
                out.write(commands)
            line += ["-rc", self.path("go")]
        return line

    def start(self, line, stdin, stdout):
        """Starts the emulator, in a session of its own: a Ctrl-C at the terminal is ours to pass on."""
        if not shutil.which(line[0]) or line[0] == "stdbuf" and not shutil.which("bochs-bin"):
            raise Refused(f"{self.settings.emulator} is not installed (make deps)")
        environment = {**os.environ, **self.settings.environment}
        if self.settings.instrument and self.settings.emulator == "bochs":
            environment["LD_PRELOAD"] = self.settings.instrument
        with open(self.path("errors"), "wb") as errors:
            # Should we be killed outright, the kernel ends the emulator.
            self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL"] + line, stdin=stdin, stdout=stdout, stderr=errors,
                                            env=environment, start_new_session=True)

    def log(self):
        """The kernel's log so far.  What Bochs' debugger says before and after it is left out."""
        if self.settings.emulator == "qemu":
            return read(self.path("e9"))
        log = re.sub(rb"\A=====.*?^Next at t=0\n\(0\) [^\n]*\n", b"", read(self.path("stdout")),
                     flags=re.DOTALL | re.MULTILINE)
        return re.sub(rb"^\(0\)\.\[.*\n?", b"", log, flags=re.MULTILINE)

    def status(self):
        """What the guest said at its end, or None."""
        said = HALT.findall(self.log())
        return int(said[-1]) & 0xff if said else None

    def ended(self):
        """Has the guest said its last word?"""
        log = self.log()
        return bool(HALT.search(log) or PANIC.search(log))

    def complaint(self):
        """For a machine that ended without a status: the end of what it and its emulator said."""
        told = [("kernel log", self.log()), ("emulator", telling(read(self.path("errors")))),
                ("emulator's log", telling(read(self.path("bochs.log"))))]
        parts = []
        for title, text in told:
            lines = text.decode(errors="replace").splitlines()
            if lines:
                parts += [f"--- {title}, its last lines:"] + lines[-20:]
        return "\n".join(parts) or "--- the kernel logged nothing"

    def stop(self):
        """Ends the emulator, at once if it does not end when asked."""
        if self.process is None:
            return
        for how in (signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is None:
                self.process.send_signal(how)
            try:
                self.process.wait(1)
                return
            except subprocess.TimeoutExpired:
                continue

    def close(self):
        self.stop()
        if self.held:
            self.held.close()
            if os.path.exists(f"{self.disk}.lock"):
                os.unlink(f"{self.disk}.lock")
        shutil.rmtree(self.work, ignore_errors=True)

    def batch(self, timeout, sink):
        """Boots with an empty terminal input; every piece of terminal output goes to sink(bytes).

        Returns (status, reason): reason is empty after an orderly end, else a line that says why not.
        """
        serial = self.path("serial")
        open(serial, "wb").close()
        if self.settings.emulator == "qemu":
            with open(self.path("stdout"), "wb") as out:
                self.start(self.qemu(f"file:{serial.replace(',', ',,')}"), subprocess.DEVNULL, out)
        else:
            with open(self.path("stdout"), "wb") as out:
                self.start(self.bochs("file", serial), subprocess.DEVNULL, out)
        deadline = time.monotonic() + timeout if timeout else None
        with open(serial, "rb") as console:
            late = self.wait(deadline, lambda: sink(console.read()))
            self.stop()
            sink(console.read())
        return self.verdict(late)

    def wait(self, deadline, each_tick):
        """Until the emulator ends, the guest has said its last word, or time is up (then True)."""
        while self.process.poll() is None:
            each_tick()
            if self.ended():
                limit = time.monotonic() + GRACE
                while self.process.poll() is None and time.monotonic() < limit:
                    time.sleep(TICK)
                return False
            if deadline and time.monotonic() > deadline:
                return True
            time.sleep(TICK)
        return False

    def verdict(self, late=False):
        status = self.status()
        if status is not None:
            return status, ""
        if late:
            return OUT_OF_TIME, "the time limit passed"
        panic = PANIC.search(self.log())
        if panic:
            return NO_STATUS, panic.group().decode(errors="replace").strip()
        return NO_STATUS, "the machine stopped without saying how"


def read(path):
    try:
        with open(path, "rb") as source:
            return source.read()
    except OSError:
        return b""


def telling(log):
    """Of what an emulator says, the lines that tell of trouble: not Bochs' information and warnings
    (`TIME i[...`), nor that we or the guest ended it."""
    return b"\n".join(line for line in log.splitlines()
                      if not re.match(rb"\d+[id]\[|.*WARNING|.*autodetection|=====|.*terminating on signal|"
                                      rb".*Shutdown port|Bochs is exiting|"
                                      rb" +(Bochs x86|Built from|Timestamp)", line))


def die(message, status=2):
    print(f"{os.path.basename(sys.argv[0])}: {message}", file=sys.stderr)
    sys.exit(status)
