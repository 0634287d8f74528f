"""The variables of `make run` and `make debug`, out of the environment: which machine, on which disk.

Owns nothing.  Values that make no sense are Refused.  Used by scripts/run and scripts/debug.
"""
import os
import subprocess
import sys

import emulator


def number(name, default):
    text = os.environ.get(name) or str(default)
    if not text.isascii() or not text.isdigit():
        raise emulator.Refused(f"{name}={text}: it is a whole number")
    return int(text)


def flag(name):
    text = os.environ.get(name) or "0"
    if text not in ("0", "1"):
        raise emulator.Refused(f"{name}={text}: it is 0 or 1")
    return text == "1"


def machine(chosen=""):
    """The machine to boot, by the emulator that is chosen or that EMU says."""
    return emulator.Settings(chosen or os.environ.get("EMU") or "qemu", number("MEM", 128), 0 if flag("ICOUNT") else None,
                             "tcp:127.0.0.1:1234" if flag("GDB") else "", os.environ.get("CPU", ""), os.environ.get("QEMU_EXTRA", ""))


def kept_disk(image):
    """DISK's path, the image having been made when it was not there; empty without DISK."""
    disk = os.environ.get("DISK", "")
    if not disk:
        return ""
    if os.path.isdir(disk):
        raise emulator.Refused(f"DISK={disk}: that is a directory; it is the path of an image")
    if os.path.exists(disk):
        for name in ("FILES", "IMAGE_SIZE"):
            if os.environ.get(name):
                raise emulator.Refused(f"{name} is used when a disk is made, and {disk} is there already")
        return disk
    if not os.path.isdir(os.path.dirname(disk) or "."):
        raise emulator.Refused(f"DISK={disk}: its directory is not there")
    print(f"{os.path.basename(sys.argv[0])}: making {disk}", file=sys.stderr)
    subprocess.run(["cp", "--reflink=auto", "--sparse=always", image, disk], check=True)
    return disk
