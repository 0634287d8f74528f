"""What the two debuggers' sessions have in common: the command line, the symbols, whether they fit the image, the terminal.

    [--batch FILE] IMAGE    and settings from the environment, as for scripts/run: CMD is what the machine runs instead of
                            a shell, PROG a program at whose main it is to stop, TIMEOUT seconds for a batch (600)
"""
import argparse
import contextlib
import os
import signal
import sys

import elf
import emulator
import settings

OUT = os.environ.get("O") or "build"


class Session:
    """A machine to be debugged, not started yet."""

    def __init__(self, boot, chosen):
        self.boot = boot
        self.batch, self.program = chosen.batch, os.environ.get("PROG") or ""
        self.timeout = settings.number("TIMEOUT", 600) if chosen.batch else None
        self.kernel_path = kernel_of(boot.disk)


def kernel_of(image):
    """The file of the kernel that is on the image; without one the symbols would be of something else."""
    paths = [path for path in (f"{OUT}/exo/kernel.elf", f"{OUT}/exo/checked/kernel.elf") if os.path.exists(path)]
    ids = {path: elf.File(path).id for path in paths}
    for path, build in ids.items():
        if build and elf.holds(image, build):
            return path
    known = ", ".join(f"{path} (build id {build})" for path, build in ids.items())
    raise emulator.Refused(f"the image's kernel is of another build: there are symbols of {known or 'none'}")


def arguments(what):
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--batch", metavar="FILE", help="do the commands in it, then end")
    parser.add_argument("image")
    chosen = parser.parse_args()
    for path in filter(None, (chosen.image, chosen.batch)):
        if not os.path.isfile(path):
            raise emulator.Refused(f"{path} is not there")
    return chosen


@contextlib.contextmanager
def machine(what, emulator_name):
    """The session that the command line asks for; the machine is gone afterwards."""
    chosen = arguments(what)
    wanted = settings.machine(emulator_name)
    disk, command = settings.kept_disk(chosen.image), os.environ.get("CMD", "")
    programs = elf.Programs(os.path.join(OUT, "apps/bin"))
    if os.environ.get("PROG"):
        elf.on_image(programs.named(os.environ["PROG"]), disk or chosen.image)
    with emulator.Boot(wanted, disk or chosen.image, os.path.join(OUT, "run"), keep_disk=bool(disk)) as boot:
        emulator.set_command(boot.disk, command)
        try:
            yield Session(boot, chosen)
        finally:
            boot.stop()
            if disk and command:
                emulator.set_command(boot.disk, "")


def run(main):
    """The program's whole life: what is refused is told, and the machine ends with us."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main())
    except emulator.Refused as refusal:
        emulator.die(refusal)
    except KeyboardInterrupt:
        sys.exit(130)
