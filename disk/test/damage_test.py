#!/usr/bin/python3 -B
"""Damaged images: inspection, built with sanitizers, never crashes and never hangs, and damage to
what has a checksum is always found.  The damage is the same at every run."""

import os
import random
import struct
import subprocess

import support as t

ROUNDS = 520
PARTS = 512 * t.BLOCK  # all before the pool


def crc_of_byte(crc):
    for _ in range(8):
        crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc


CRC_TABLE = [crc_of_byte(byte) for byte in range(256)]


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ byte) & 255]
    return crc ^ 0xffffffff


def inspect(image, *options):
    status, out, errors = t.run("inspect", "--no-fsck", *options, image, tool=t.FHIMAGE_ASAN)
    t.expect(status in (0, 1) and not errors, f"status {status}: {errors[-2000:]}")
    t.expect((status == 1) == ("problem: " in out), f"status {status}, but: {out}")
    return status, out


# Extents 1 and 2 of the image that is damaged.
MANIFEST = """\
disk 16M
principal posix 0x0100000000000000
principal raw   0x0200000000000000
extent raw1 owner=raw   size=4M
extent main owner=posix size=rest fs=ext2
main main
program /bin/sh name=sh principal=posix pages=80% slots=192 console halt shared shell
"""


class Image:
    """A copy of a good image that is put back after each damage."""

    def __init__(self):
        self.name = t.path("damaged.img")
        if not os.path.exists(t.path("good.img")):
            t.made("good.img", manifest=t.write("damage.manifest", MANIFEST))
        subprocess.run(["cp", "--sparse=always", t.path("good.img"), self.name], check=True)
        with open(self.name, "rb") as file:
            self.good = bytearray(file.read(PARTS))
        self.size = os.path.getsize(self.name)
        self.changed = []
        header = struct.unpack_from("<QIIQ15Q", self.good, t.HEADER)
        self.manifest, self.init, self.tables = header[5], header[10], header[12:14]

    def put(self, changes, size=None):
        """Changes are (offset, bytes); before them, everything is as it was."""
        with open(self.name, "r+b") as file:
            if os.path.getsize(self.name) != self.size:
                file.truncate(self.size)
                file.write(self.good)
            for offset, data in self.changed:
                file.seek(offset)
                file.write(self.good[offset:offset + len(data)])
            for offset, data in changes:
                file.seek(offset)
                file.write(data)
            if size is not None:
                file.truncate(size)
        self.changed = changes

    def sealed(self, start, length, crc_at, changes):
        """The changes to a structure, and its checksum made right again."""
        data = bytearray(self.good[start:start + length])
        for offset, new in changes:
            data[offset:offset + len(new)] = new
        data[crc_at:crc_at + 4] = bytes(4)
        data[crc_at:crc_at + 4] = struct.pack("<I", crc32c(data))
        return start, bytes(data)


def noise(rng):
    kind = rng.randrange(4)
    if kind == 0:
        return rng.randbytes(rng.choice((1, 2, 4, 8)))
    if kind == 1:
        return rng.choice((b"\xff", b"\0", b"\x80")) * rng.choice((1, 4, 8, 16))
    if kind == 2:
        return struct.pack("<Q", rng.choice((0, 1, 2**63, 2**64 - 1, 2**32, 4095, 4096, 511)))
    return struct.pack("<I", rng.choice((0, 1, 2, 3, 63, 64, 4095, 4096, 2**31, 2**32 - 1)))


def table_changes(image, rng):
    """Both copies with damaged records, their checksums right."""
    block = bytearray(image.good[(image.tables[0] + 1) * t.BLOCK:(image.tables[0] + 2) * t.BLOCK])
    for _ in range(rng.randrange(1, 4)):
        data = noise(rng)
        at = rng.randrange(0, 5 * 64 - len(data))
        block[at:at + len(data)] = data
    changes = []
    for start in image.tables:
        head = [(40, struct.pack("<I", crc32c(block)))]
        changes.append(image.sealed(start * t.BLOCK, 40 + 4 * 64, 12, head))
        changes.append(((start + 1) * t.BLOCK, bytes(block)))
    return changes


def damage(image, rng):
    """One random damage; of each kind a part has right checksums, to reach what is behind them."""
    kind = rng.randrange(6)
    if kind == 0:
        return [(rng.randrange(PARTS - 16), noise(rng)) for _ in range(rng.randrange(1, 5))], None
    if kind == 1:
        return [], rng.randrange(image.size)
    if kind == 2:
        return [image.sealed(t.HEADER, 144, 12, [(rng.randrange(16, 136), noise(rng)[:8])])], None
    if kind == 3:
        start = image.manifest * t.BLOCK
        changes = [(rng.randrange(12, 400), noise(rng)[:4]) for _ in range(rng.randrange(1, 6))]
        return [image.sealed(start, 32 + 336 * 32, 16, changes)], None
    if kind == 4:
        return table_changes(image, rng), None
    return [(start * t.BLOCK + rng.randrange(300), noise(rng)) for start in image.tables], None


def random_damage():
    image, rng = Image(), random.Random(20260101)
    found = 0
    for number in range(ROUNDS):
        changes, size = damage(image, rng)
        image.put(changes, size)
        try:
            found += inspect(image.name)[0]
        except t.Failed as why:
            raise t.Failed(f"round {number}: {why}") from None
    t.expect(found > ROUNDS / 2, f"only {found} of {ROUNDS} damages were found")


def found(words, changes, size=None):
    image = Image()
    image.put(changes(image), size)
    status, out = inspect(image.name)
    t.expect(status == 1 and words in out, f"'{words}' was not found: {out}")


def flip(offset):
    return lambda image: [(offset(image), bytes([image.good[offset(image)] ^ 1]))]


def records(edit):
    """Both copies with records edited by edit(block), their checksums right."""
    def changes(image):
        block = bytearray(image.good[(image.tables[0] + 1) * t.BLOCK:(image.tables[0] + 2) * t.BLOCK])
        edit(block)
        result = []
        for start in image.tables:
            head = [(40, struct.pack("<I", crc32c(block)))]
            result.append(image.sealed(start * t.BLOCK, 40 + 4 * 64, 12, head))
            result.append(((start + 1) * t.BLOCK, bytes(block)))
        return result
    return changes


def put(offset, form, value):
    return lambda block: struct.pack_into(form, block, offset, value)


def one_torn_copy():
    image = Image()
    image.put([((image.tables[0] + 1) * t.BLOCK, b"\xff")])
    status, out = inspect(image.name)
    t.expect(status == 0 and "copy=A state=torn" in out and "copy=B state=valid seq=1 current" in out, out)


KERNEL = 261 * t.BLOCK
NEXT, STATE, LEN, START, INIT = 44, 48, 8, 0, 16
FOUND = [
    ("boot_signature", "no 55 aa", flip(lambda i: 510)),
    ("partition_type", "partition 1 has type", flip(lambda i: 450)),
    ("partition_start", "begins at sector", flip(lambda i: 454)),
    ("partition_length", "sectors, expected", flip(lambda i: 458)),
    ("header_magic", "not a Freehold image", flip(lambda i: t.HEADER)),
    ("header_crc", "header: checksum", flip(lambda i: t.HEADER + 40)),
    ("manifest_crc", "manifest: checksum", flip(lambda i: i.manifest * t.BLOCK + 300)),
    ("kernel_crc", "kernel: checksum", flip(lambda i: KERNEL + 5000)),
    ("init_crc", "init: checksum", flip(lambda i: i.init * t.BLOCK + 5000)),
    ("both_tables", "no valid copy", lambda i: [(s * t.BLOCK, b"\0") for s in i.tables]),
    ("extent_circle", "wrong order", records(put(64 * 2 + NEXT, "<I", 1))),
    ("extent_itself", "wrong order", records(put(64 + NEXT, "<I", 1))),
    ("extent_lost", "reaches 2 records of 3", records(put(64 + NEXT, "<I", 0))),
    ("extent_next_free", "is free", records(put(64 + NEXT, "<I", 9))),
    ("extent_next_beyond", "does not exist", records(put(64 + NEXT, "<I", 4096))),
    ("extent_overlap", "overlap", records(put(64 + LEN, "<Q", 2000))),
    ("extent_outside", "outside the pool", records(put(128 + LEN, "<Q", 2**40))),
    ("extent_wraps", "outside the pool", records(put(128 + LEN, "<Q", 2**64 - 1))),
    ("extent_below", "outside the pool", records(put(64 + START, "<Q", 5))),
    ("extent_init", "blocks readable of", records(put(64 + INIT, "<Q", 2000))),
    ("extent_state", "may not stand on a disk", records(put(64 + STATE, "<B", 1))),
    ("extent_empty", "extent 1: empty", records(put(64 + LEN, "<Q", 0))),
    ("sentinel", "not the sentinel", records(put(STATE, "<B", 2))),
    ("no_main", "main extent 'main' does not exist", records(put(128 + 56, "<Q", 1))),
]


def main_not_ext2():
    image = Image()
    image.put([])
    with open(image.name, "r+b") as file:
        file.seek((512 + 1024) * t.BLOCK + 1024 + 56)
        file.write(b"\0\0")
    status, out, _ = t.run("inspect", image.name, tool=t.FHIMAGE_ASAN)
    t.expect(status == 1 and "no ext2 file system in the main extent" in out, out)


def file_system_damage():
    """The block bitmap of the main file system's first group is lost."""
    image = Image()
    start = (512 + 1024) * t.BLOCK
    with open(image.name, "r+b") as file:
        file.seek(start + t.BLOCK)
        bitmap, = struct.unpack("<I", file.read(4))
        file.seek(start + bitmap * t.BLOCK)
        file.write(bytes(t.BLOCK))
    status, out, _ = t.run("inspect", image.name, tool=t.FHIMAGE_ASAN)
    t.expect(status == 1 and "extent main: its ext2 file system is not clean" in out, out)


def truncated():
    image = Image()
    for size in (0, 1, 512, t.HEADER, t.HEADER + 143, t.HEADER + 144, PARTS, image.size - 1):
        image.put([], size)
        status, out = inspect(image.name)
        t.expect(status == 1 and "truncated" in out, f"size {size}: {out}")


t.main([(f"damage_{name}", lambda words=words, changes=changes: found(words, changes))
        for name, words, changes in FOUND] +
       [("damage_main_not_ext2", main_not_ext2), ("damage_file_system", file_system_damage),
        ("damage_truncated", truncated), ("damage_one_torn_copy", one_torn_copy),
        ("damage_random", random_damage)])
