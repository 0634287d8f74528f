#!/usr/bin/python3 -B
"""Making an image, and reading it again: places, owners, contents, boot arguments, sameness."""

import os
import shutil
import struct
import subprocess

import support as t

MANIFEST = """disk 32M
verbose yes
principal posix 0x0100000000000000
principal raw   0x0200000000000000
principal user  0x0203000000000000
extent raw1 owner=raw size=1M
extent logs owner=user size=512K clear
extent main owner=posix size=rest fs=ext2
extent old owner=raw size=4M fs=ext2 block=1024
main main
program /bin/sh principal=posix pages=80% slots=64 caps=32 envs=40 extents=9 io=16 disk=16384 slot=4:1 \\
    args "-c 'echo hi' x" console shell extent=raw1:rw extent=logs:r
program /bin/gone name=other principal=user pages=1M wait halt shared
"""


def fields(line):
    return dict(word.split("=", 1) for word in line.split() if "=" in word)


def extents(image):
    status, out, errors = t.run("inspect", "--extents", image)
    t.expect(status == 0, out + errors)
    return {fields(line)["name"]: fields(line) for line in out.splitlines() if line.startswith("extent ")}


def debugfs(image, name, command):
    offset = t.run("offset", image, name)[1].split()[0]
    done = subprocess.run(["debugfs", "-R", command, f"{image}?offset={offset}"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=True,
                          env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})
    return done.stdout


def custom():
    image = t.path("custom.img")
    if not os.path.exists(image):
        status, _, errors = t.make(image, manifest=t.write("custom.manifest", MANIFEST))
        t.expect(status == 0, errors)
        t.expect("custom.manifest:13: warning: /bin/gone is not among" in errors, f"warning: {errors}")
    return image


def inspects_clean():
    for image in (custom(), t.made()):
        for tool in (t.FHIMAGE, t.FHIMAGE_ASAN):
            status, out, errors = t.run("inspect", image, tool=tool)
            t.expect(status == 0 and "problem" not in out and not errors, out + errors)


def boot_sector():
    image = custom()
    loader = open(t.path("loader.bin"), "rb").read()
    with open(image, "rb") as file:
        start = file.read(64 * 512)
    t.expect(start[:446] == loader[:446], "boot code is not the loader's")
    t.expect(start[512:len(loader)] == loader[512:], "second stage is not the loader's")
    active, kind, lba, count = struct.unpack("<B3xB3xII", start[446:462])
    t.expect((active, kind, lba, count) == (0x80, 0x7e, 2048, 32 * 2048 - 2048), f"partition {start[446:462].hex()}")
    t.expect(start[462:512] == bytes(48) + b"\x55\xaa", "other partitions, or no signature")


def kernel_stands():
    kernel = open(t.path("kernel.bin"), "rb").read()
    with open(custom(), "rb") as file:
        file.seek(t.HEADER + 48)
        start, blocks, memory = struct.unpack("<QQQ", file.read(24))
        file.seek(start * t.BLOCK)
        t.expect(file.read(blocks * t.BLOCK) == kernel.ljust(blocks * t.BLOCK, b"\0"), "kernel's bytes")
    t.expect(memory == 70000, f"{memory} bytes of memory")


def owners():
    got = extents(custom())
    want = {"raw1": ("0200000000000000", 256, 0), "logs": ("0203000000000000", 128, 128),
            "old": ("0200000000000000", 1024, 1024)}
    want["main"] = ("0100000000000000", 8192 - 512 - 256 - 128 - 1024, 8192 - 512 - 256 - 128 - 1024)
    for name, (owner, length, init) in want.items():
        e = got[name]
        t.expect((e["owner"], int(e["len"]), int(e["init"])) == (owner, length, init), f"{name}: {e}")
        t.expect(e["gen"] == "1" and e["state"] == "live", f"{name}: {e}")
    t.expect(got["system"]["state"] == "system" and len(got) == 5, f"{got.keys()}")


def programs():
    out = t.run("inspect", custom())[1]
    for words in ("manifest: main=main verbose=yes",
                  "program /bin/sh name=sh principal=0100000000000000 pages=80% slots=64 caps=32 envs=40 "
                  "extents=9 io=16 disk=16384 groups=0 slot=4:1 args \"-c echo?hi x\" console shell extent=raw1:rw extent=logs:r",
                  "program /bin/gone name=other principal=0203000000000000 pages=256 slots=8 caps=64 envs=16 "
                  "extents=8 io=32 disk=16384 groups=0 wait halt shared"):
        t.expect(words in out, f"'{words}' is not in\n{out}")


def free_runs():
    image = t.path("free.img")
    manifest = t.write("free.manifest", "principal p 0x0100000000000000\nextent e owner=p size=1M\n")
    t.expect(t.make(image, "--size", "8M", manifest=manifest)[0] == 0, "make")
    out = t.run("inspect", "--extents", image)[1]
    t.expect("free start=768 len=1280" in out.splitlines(), out)


def tree_arrives():
    image = custom()
    for i in (0, 3, 29):
        with open(t.path(f"files/etc/deep/file{i}"), "rb") as file:
            t.expect(debugfs(image, "main", f"cat /etc/deep/file{i}") == file.read(), f"file{i}")
    with open(t.path("sh"), "rb") as file:
        t.expect(debugfs(image, "main", "cat /bin/sh") == file.read(), "/bin/sh")
    t.expect(b"deep/file3" in debugfs(image, "main", "stat /etc/link"), "symbolic link")
    t.expect(b"Block size:               1024" in debugfs(image, "old", "show_super_stats"), "block=1024")
    stat = debugfs(image, "main", "stat /bin/sh")
    t.expect(b"Mode:  0755" in stat and b"User:     0   Group:     0" in stat, stat.decode())


def extract_equals():
    image = custom()
    for name in ("raw1", "main"):
        status, out, errors = t.run("extract", image, name, t.path("part"))
        t.expect(status == 0, errors)
        offset, length = map(int, t.run("offset", image, name)[1].split())
        e = extents(image)[name]
        t.expect((offset, length) == (int(e["start"]) * 4096, int(e["len"]) * 4096), f"offset: {out}")
        with open(image, "rb") as whole, open(t.path("part"), "rb") as part:
            whole.seek(offset)
            t.expect(whole.read(length) == part.read(), f"{name} differs")
    t.expect(os.stat(t.path("part")).st_blocks * 512 < length // 4, "extract is not sparse")


def extract_refuses():
    status, _, errors = t.run("extract", custom(), "nothing", t.path("none"))
    t.expect(status == 1 and "no extent 'nothing'" in errors, errors)
    t.expect(not os.path.exists(t.path("none")), "a file was left")


def boot_args():
    image = t.made("args.img")
    before = open(image, "rb").read()
    t.expect(t.run("boot-args", image, "echo hi; halt")[0] == 0, "set")
    t.expect("boot-args: echo?hi;?halt" in t.run("inspect", image)[1], "not shown")
    t.expect(t.run("boot-args", image, "x" * 2047)[0] == 0, "longest")
    status, _, errors = t.run("boot-args", image, "x" * 2048)
    t.expect(status == 1 and "at most 2047" in errors, f"too long: {errors}")
    t.expect(t.run("boot-args", image, "")[0] == 0, "clear")
    t.expect(open(image, "rb").read() == before, "clearing does not bring the image back")


def boot_args_refuses():
    image = t.made("args.img")
    with open(image, "r+b") as file:
        file.seek(257 * t.BLOCK + 100)
        file.write(b"\xa5")
    before = open(image, "rb").read()
    status, out, _ = t.run("boot-args", image, "echo")
    t.expect(status == 1 and "manifest: checksum" in out, out)
    t.expect(open(image, "rb").read() == before, "the damaged image was changed")


def same_twice():
    """Other times, umask, folder and order of making files: the same bytes."""
    first, second = t.made("first.img"), t.path("second.img")
    with open(first, "rb") as file:
        before = file.read()
    tree, other = t.path("files"), t.path("other")
    os.makedirs(other)
    names = [os.path.relpath(os.path.join(folder, name), tree)
             for folder, folders, files in os.walk(tree) for name in folders + files]
    for name in sorted(names, key=lambda n: (n.count("/"), n[::-1])):
        source, to = os.path.join(tree, name), os.path.join(other, name)
        if os.path.isdir(source):
            os.mkdir(to)
        else:
            shutil.copyfile(source, to, follow_symlinks=False)
        if not os.path.islink(to):
            os.utime(to, (1e9, 1e9))
    options = [other if word == tree else word for word in t.stand_ins()]
    before_mask = os.umask(0o077)
    t.expect(t.run("make", "-o", second, "--size", "16M", "--manifest", t.DEFAULT_MANIFEST, *options,
                   env={"TZ": "Asia/Tokyo"})[0] == 0, "make")
    os.umask(before_mask)
    with open(second, "rb") as file:
        t.expect(file.read() == before, "the images differ")


def id_follows_inputs():
    def identity(image):
        with open(image, "rb") as file:
            file.seek(t.HEADER + 16)
            return file.read(8)
    t.made("first.img")
    ids = {identity(t.path("first.img")), identity(custom()), identity(t.made("bigger.img", "17M"))}
    t.expect(len(ids) == 3, "ids are the same")


def sparse():
    image = t.made("sparse.img", "64G")
    t.expect(os.path.getsize(image) == 64 << 30, "size")
    t.expect(os.stat(image).st_blocks * 512 < 96 << 20, f"{os.stat(image).st_blocks // 2} KiB")
    status, out, _ = t.run("inspect", "--no-fsck", image)
    t.expect(status == 0, out)
    os.remove(image)


def leaves_nothing():
    t.made("first.img")
    left = [name for name in os.listdir(t.SCRATCH) if ".img." in name or name.startswith("part.")]
    t.expect(not left, f"left: {left}")


def refuses(words, *more, status=1, manifest=t.DEFAULT_MANIFEST):
    image = t.path("refused.img")
    got, _, errors = t.make(image, *more, manifest=manifest)
    t.expect(got == status and words in errors, f"status {got}, expected {status} and '{words}': {errors}")
    t.expect(not os.path.exists(image), "an image was left")


def refusals():
    small = t.write("small.manifest", "principal p 0x0100000000000000\nextent a owner=p size=1M\n"
                    "extent b owner=p size=2M\n")
    refuses("small.manifest:3: extent 'b' needs 2048 KiB", "--size", "4M", manifest=small, status=2)
    refuses("are too small", "--size", "1M")
    refuses("not a multiple of 4096", "--size", "10000001")
    refuses("no size", manifest=t.write("none.manifest", ""))
    refuses("--kernel-bytes 100 is not between", "--size", "16M", "--kernel-bytes", "100")
    refuses("too big: 32769 bytes", "--size", "16M", "--loader", t.write("big.bin", bytes(32769)))
    refuses("reaches into the partition table", "--size", "16M", "--loader", t.write("long.bin", b"x" * 1024))
    refuses("too small for a boot sector", "--size", "16M", "--loader", t.write("short.bin", b"x" * 100))
    refuses("no-such-file", "--size", "16M", "--kernel", t.path("no-such-file"))
    refuses("unknown option --frob", "--frob", "1", status=2)
    refuses("'12parsecs' is not a size", "--size", "12parsecs", status=2)


t.main([
    ("image_inspects_clean", inspects_clean),
    ("image_boot_sector", boot_sector),
    ("image_kernel_stands", kernel_stands),
    ("image_owners", owners),
    ("image_programs", programs),
    ("image_free_runs", free_runs),
    ("image_tree_arrives", tree_arrives),
    ("image_extract_equals", extract_equals),
    ("image_extract_refuses", extract_refuses),
    ("image_boot_args", boot_args),
    ("image_boot_args_refuses", boot_args_refuses),
    ("image_same_twice", same_twice),
    ("image_id_follows_inputs", id_follows_inputs),
    ("image_sparse", sparse),
    ("image_leaves_nothing", leaves_nothing),
    ("image_refusals", refusals),
])
