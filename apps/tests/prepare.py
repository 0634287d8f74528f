#!/usr/bin/python3
"""What guest tests do to their disk before and after they boot it:  prepare.py WHAT [ARGUMENT...]

The disk is $DISK, a private copy of the test image; things that a later step compares with stand beside
it.  Built parts are found in $O.  Prints what is wrong and exits with 1, or says nothing.

    image MANIFEST [FILES]   make $DISK anew by that manifest, with that folder as its files
    variants SEAM            make $DISK anew, to run the programs SEAM-* one after the other, on extents `blocks` and `swap`
    swapped SEAMS MANIFEST PROGRAM...   make $DISK anew with those programs, linked with those variants
    tree                     make $DISK anew with 500 files, one of 20 MiB, in /tree, and their sums in /SUMS
    elfs                     make $DISK anew with programs that must not be loaded, in /bad
    args FROM TO             change a program's arguments in the manifest, FROM to TO
    spoil WHAT               overwrite part of: header, init, table-a, table-b, tables, superblock
    damage EXTENT FIRST COUNT   overwrite bytes of an extent
    damage-path PATH         overwrite the first block of what the main file system has under PATH
    feature                  set a feature in the file system that nobody knows
    shorten                  cut the disk in half
    keep                     remember the disk as it is now, but for the manifest's blocks
    kept                     is it still so?
    same-tree                the file system is clean, and its /copy is what `tree` made
    owners NAME=OWNER...     the inspector finds the disk in order, and these extents' owners
    clean                    the inspector finds the disk in order
"""
import hashlib
import os
import random
import re
import shutil
import struct
import subprocess
import sys

BLOCK = 4096
HEADER = 256 * BLOCK
O, DISK = os.environ.get("O") or "build", os.environ["DISK"]
BESIDE = os.path.dirname(os.path.abspath(DISK))
TREE, KEPT = os.path.join(BESIDE, "tree"), os.path.join(BESIDE, "kept")
FIELDS = ("id blocks manifest manifest_blocks kernel kernel_blocks kernel_bytes init init_blocks table_a table_b "
          "table_blocks pool pool_end").split()


def tool(*arguments):
    done = subprocess.run([f"{O}/host/fhimage", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    text = done.stdout.decode(errors="replace")
    if done.returncode:
        sys.exit(f"fhimage {' '.join(arguments)}: status {done.returncode}\n{text}")
    return text


def image(manifest="disk/freehold.manifest", kernel="exo", files=None, build=O):
    with open(f"{O}/{kernel}/kernel.bytes") as source:
        size = source.read().strip()
    tool("make", "-o", DISK, "--manifest", manifest, "--loader", f"{O}/exo/boot/loader.bin",
         "--kernel", f"{O}/{kernel}/kernel.bin", "--kernel-bytes", size, "--init", f"{build}/apps/bin/init",
         "--bin", f"{build}/apps/strip", *(["--files", files] if files else []))


def variants(seam):
    lines = ["disk 64M", "verbose no", "principal posix 0x0100000000000000",
             "extent blocks owner=posix size=4M clear", "extent swap owner=posix size=4M",
             "extent main owner=posix size=rest fs=ext2", "main main"]
    programs = sorted(name for name in os.listdir(f"{O}/apps/strip") if name.startswith(seam + "-"))
    for name in programs:
        lines.append(f"program /bin/{name} name={name} principal=posix shared pages=6M slots=32 caps=32 envs=1 extents=1 "
                     "io=32 console extent=blocks:rw extent=swap:rw wait")
    lines.append("program /bin/sh name=sh principal=posix pages=40% slots=64 caps=30% envs=50% extents=50% io=25% "
                 "console halt shared shell")
    if not programs:
        sys.exit(f"there is no program {seam}-*")
    manifest = os.path.join(BESIDE, "manifest")
    with open(manifest, "w") as out:
        out.write("\n".join(lines) + "\n")
    image(manifest)


def swapped(seams, manifest, *programs):
    """In a copy of what $O has of programs and libOS, where only links have to be made anew."""
    copy = os.path.join(BESIDE, "swapped")
    for part in ("apps", "libos"):
        shutil.copytree(f"{O}/{part}", f"{copy}/{part}", ignore=shutil.ignore_patterns("bin", "strip"))
    os.symlink(os.path.realpath(f"{O}/newlib"), f"{copy}/newlib")
    shutil.copy2(f"{O}/newlib.stamp", copy)
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS")}
    wanted = [f"{copy}/apps/strip/{name}" for name in programs] + [f"{copy}/apps/bin/init"]
    done = subprocess.run(["make", f"O={copy}", f"SEAMS={seams}", *wanted], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, env=environment)
    if done.returncode:
        sys.exit(f"make SEAMS='{seams}': status {done.returncode}\n{done.stdout.decode(errors='replace')[-2000:]}")
    image(manifest, build=copy)
    shutil.rmtree(copy)


def tree():
    pick = random.Random(1)
    folder = os.path.join(TREE, "tree")
    for number in range(499):
        place = os.path.join(folder, f"a{number % 7}", f"b{number % 13}")
        os.makedirs(place, exist_ok=True)
        path = os.path.join(place, f"file{number}")
        with open(path, "wb") as out:
            out.write(pick.randbytes(pick.choice((0, 1, 13, 1024, 4096, 4097, 60000))))
        os.chmod(path, pick.choice((0o644, 0o600, 0o755)))
    with open(os.path.join(folder, "big"), "wb") as out:
        out.write(pick.randbytes(20 << 20))
    os.symlink("a0/../big", os.path.join(folder, "link"))
    sums = subprocess.run("find tree -type f | sort | xargs sha256sum", shell=True, cwd=TREE, check=True,
                          stdout=subprocess.PIPE).stdout
    with open(os.path.join(TREE, "SUMS"), "wb") as out:
        out.write(sums)
    image(files=TREE)


def elf(entry=0x400000, address=0x400000, size=16, flags=5, **changed):
    """A program of one segment; every field can be wrong."""
    head = dict(magic=b"\x7fELF", kind=2, machine=62, phoff=64, phentsize=56, phnum=1, offset=4096, memory=size)
    head.update(changed)
    text = struct.pack("<4s12sHHIQQQIHHHHHH", head["magic"], b"\2\1\1" + bytes(9), head["kind"], head["machine"], 1,
                       entry, head["phoff"], 0, 0, 64, head["phentsize"], head["phnum"], 0, 0, 0)
    text += struct.pack("<IIQQQQQQ", 1, flags, head["offset"], address, address, size, head["memory"], 4096)
    return text.ljust(4096, b"\0") + b"\xf4" * 16


def elfs():
    bad = {
        "short": elf()[:40], "no-magic": elf(magic=b"\x7fELG"),
        "shared": elf(kind=3), "machine": elf(machine=3), "headers-outside": elf(phoff=1 << 40),
        "no-segments": elf(phnum=0), "many-segments": elf(phnum=60000), "header-size": elf(phentsize=8),
        "truncated": elf(size=1 << 20), "file-wraps": elf(offset=(1 << 64) - 4096),
        "kernel": elf(address=0xFFFFFFFF80100000, entry=0xFFFFFFFF80100000), "not-canonical": elf(address=1 << 62),
        "too-low": elf(address=0x1000, entry=0x1000), "too-big": elf(memory=1 << 40), "wraps": elf(memory=(1 << 64) - 1),
        "write-and-execute": elf(flags=7), "entry-outside": elf(entry=0x500000),
    }
    folder = os.path.join(BESIDE, "files", "bad")
    os.makedirs(folder)
    for name, content in bad.items():
        with open(os.path.join(folder, name), "wb") as out:
            out.write(content)
        os.chmod(os.path.join(folder, name), 0o755)
    image(files=os.path.dirname(folder))


def read(offset, size):
    with open(DISK, "rb") as disk:
        disk.seek(offset)
        return disk.read(size)


def write(offset, content):
    with open(DISK, "r+b") as disk:
        disk.seek(offset)
        disk.write(content)


def header():
    return dict(zip(FIELDS, struct.unpack("<14Q", read(HEADER + 16, 14 * 8))))


def crc32c(content):
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def in_manifest(field):
    """Where a field of struct exo_manifest is, by the lock of the ABI."""
    with open("exo/include/exo/abi.lock") as lock:
        return int(re.search(rf"^image field exo_manifest\.{field} (\d+) ", lock.read(), re.MULTILINE)[1])


def args(old, new):
    """In place; the manifest's checksum covers everything before the boot arguments."""
    place, crc = header()["manifest"] * BLOCK, in_manifest("crc")
    text = bytearray(read(place, header()["manifest_blocks"] * BLOCK))
    before, after = (words.replace(" ", "\0").encode() for words in (old, new))
    at = text.index(before + b"\0\0")
    size = max(len(before), len(after))
    text[at:at + size] = after.ljust(size, b"\0")
    covered = bytearray(text[:in_manifest("boot_args")])
    covered[crc:crc + 4] = bytes(4)
    text[crc:crc + 4] = struct.pack("<I", crc32c(covered))
    write(place, text)


def extent_start(name="main"):
    return int(tool("offset", DISK, name).split()[0])


def spoil(what):
    head, noise = header(), b"\xa5" * 64
    places = {"header": [HEADER + 40], "init": [(head["init"] + 2) * BLOCK], "superblock": [extent_start() + 1024],
              "table-a": [head["table_a"] * BLOCK], "table-b": [head["table_b"] * BLOCK],
              "tables": [head["table_a"] * BLOCK, (head["table_b"] + 1) * BLOCK]}
    for place in places[what]:
        write(place, noise)


def damage(name, first, count):
    write(extent_start(name) + int(first), b"\xa5" * int(count))


def damage_path(path):
    volume = os.path.join(BESIDE, "volume")
    tool("extract", DISK, "main", volume)
    done = subprocess.run(["debugfs", "-R", f"blocks {path}", volume], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          check=True)
    damage("main", int(done.stdout.split()[0]) * BLOCK, BLOCK)
    os.unlink(volume)


def feature():
    place = extent_start() + 1024 + 96  # s_feature_incompat
    write(place, struct.pack("<I", struct.unpack("<I", read(place, 4))[0] | 0x1000))


def shorten():
    os.truncate(DISK, os.path.getsize(DISK) // 2)


def digest():
    head, sums = header(), hashlib.sha256()
    first, last = head["manifest"], head["manifest"] + head["manifest_blocks"]
    sums.update(read(0, first * BLOCK))
    with open(DISK, "rb") as disk:
        disk.seek(last * BLOCK)
        while piece := disk.read(1 << 20):
            sums.update(piece)
    return sums.hexdigest()


def keep():
    with open(KEPT, "w") as out:
        out.write(digest())


def kept():
    with open(KEPT) as source:
        if source.read() != digest():
            sys.exit("the disk was written")


def clean():
    return tool("inspect", DISK)


def owners(*pairs):
    text = clean()
    for name, owner in (pair.split("=") for pair in pairs):
        if not re.search(rf"^extent .*name={name} .*owner={owner} ", text, re.MULTILINE):
            sys.exit(f"extent {name} is not {owner}'s:\n{text}")


def same_tree():
    volume, out = os.path.join(BESIDE, "volume"), os.path.join(BESIDE, "out")
    clean()
    tool("extract", DISK, "main", volume)
    os.makedirs(out)
    for command in (["e2fsck", "-fn", volume], ["debugfs", "-R", f"rdump /copy {out}", volume],
                    ["diff", "-r", "--no-dereference", os.path.join(TREE, "tree"), os.path.join(out, "copy")]):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            sys.exit(f"{' '.join(command)}: status {done.returncode}\n{done.stdout.decode(errors='replace')[-2000:]}")
    shutil.rmtree(out)


STEPS = {step.__name__.replace("_", "-"): step for step in
         (image, variants, swapped, tree, elfs, args, spoil, damage, damage_path, feature, shorten, keep, kept, same_tree, owners, clean)}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in STEPS:
        sys.exit(__doc__)
    STEPS[sys.argv[1]](*sys.argv[2:])
