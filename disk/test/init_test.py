#!/usr/bin/python3 -B
"""ELF files that cannot be the first program are refused, each with the reason; a good one arrives
in the image byte by byte."""

import os
import struct
import subprocess

import support as t
from support import R, W, X, elf, segment

CODE = segment(0x401000)
GOOD = elf(t.GOOD_INIT)

BAD = [
    ("empty", b"", "truncated: no ELF header"),
    ("short_header", GOOD[:63], "truncated: no ELF header"),
    ("not_elf", elf([CODE], magic=b"\x7fELG"), "not an ELF file"),
    ("class32", elf([CODE], elf_class=1), "not a 64-bit"),
    ("machine_arm", elf([CODE], machine=183), "not for x86-64"),
    ("relocatable", elf([CODE], kind=1), "not a static program"),
    ("position_independent", elf([CODE], kind=3), "not a static program"),
    ("no_headers", elf([CODE], headers=0), "no program headers"),
    ("headers_beyond", elf([CODE], headers=2000), "program headers lie beyond its end"),
    ("truncated_segment", GOOD[:9000], "segment 1 lies beyond its end"),
    ("offset_wraps", elf([segment(0x401000, offset=2**64 - 2)]), "lies beyond its end"),
    ("file_longer", elf([segment(0x401000, memory=2)]), "longer in the file than in memory"),
    ("writable_executable", elf([segment(0x401000, flags=R | W | X)]), "writable and executable"),
    ("not_readable", elf([segment(0x401000, flags=X)]), "not readable"),
    ("upper_half", elf([CODE, segment(0xffffffff80000000)]), "segment 1 is not in the lower half"),
    ("into_upper_half", elf([CODE, segment(0x7ffffffff000, memory=8192)]), "not in the lower half"),
    ("wraps", elf([CODE, segment(0x500000, memory=2**64 - 4096)]), "not in the lower half"),
    ("address_0", elf([CODE, segment(0x800, flags=R)]), "covers address 0"),
    ("overlap", elf([CODE, segment(0x400000, memory=8192, flags=R | W)]), "share the page at 0x401000"),
    ("same_page", elf([CODE, segment(0x401800, flags=R)]), "share the page at 0x401000"),
    ("many_segments", elf([segment(0x401000 + i * 4096) for i in range(9)]), "more than 8 segments"),
    ("too_big", elf([CODE, segment(0x500000, memory=65 << 20, flags=R | W)]), "segment 1 is too big"),
    ("too_big_together", elf([CODE] + [segment(0x500000 + (i << 26), memory=33 << 20, flags=R | W)
                                       for i in range(2)]), "too big: 16897 pages"),
    ("entry_in_data", elf([CODE, segment(0x402000, flags=R | W)], entry=0x402000), "its entry 0x402000"),
    ("entry_nowhere", elf([CODE], entry=0x10), "its entry 0x10"),
    ("dynamic", elf([CODE, segment(0x402000, type=2, flags=R)]), "link it statically"),
    ("interpreter", elf([segment(0x402000, type=3, flags=R), CODE]), "link it statically"),
    ("on_manifest", elf([CODE, segment(0x3f000000, flags=R)]), "where the kernel puts the manifest"),
    ("on_stack", elf([CODE, segment(0x3ff000, flags=R)]), "where the kernel puts the stack"),
    ("on_upcall_page", elf([CODE, segment(0x1ff000, memory=4097, flags=R)]), "puts the upcall page"),
]


def make(data):
    image = t.path("init.img")
    options = t.stand_ins()
    t.write("init.elf", data)
    return image, t.run("make", "-o", image, "--size", "16M", "--manifest", t.DEFAULT_MANIFEST, *options,
                        tool=t.FHIMAGE_ASAN)


def bad(data, words):
    image, (status, _, errors) = make(data)
    t.expect(status == 1 and words in errors, f"status {status}, expected 1 and '{words}': {errors}")
    t.expect(errors.count("\n") == 1, f"one message expected: {errors}")
    t.expect(not os.path.exists(image), "an image was left")


def init_blocks(image):
    with open(image, "rb") as file:
        file.seek(t.HEADER + 72)
        start, blocks = struct.unpack("<QQ", file.read(16))
        file.seek(start * t.BLOCK)
        return file.read(blocks * t.BLOCK)


def good():
    image, (status, _, errors) = make(GOOD)
    t.expect(status == 0, errors)
    data = init_blocks(image)
    os.remove(image)
    magic, entry, count, _ = struct.unpack_from("<QQII", data)
    t.expect((magic, entry, count) == (0x74696e6965657246, 0x401000, 3), f"header {magic:#x} {entry:#x} {count}")
    want = [(0x400000, 1, 0, 1), (0x401000, 2, 0, 5), (0x405000, 1, 4, 3)]
    at = t.BLOCK
    for i, source in enumerate(t.GOOD_INIT):
        va, pages, zero, perm, _ = struct.unpack_from("<QIIII", data, 24 + 24 * i)
        t.expect((va, pages, zero, perm) == want[i], f"segment {i}: {va:#x} {pages} {zero} {perm}")
        body = bytes(source["va"] % 4096) + source["data"]
        t.expect(data[at:at + pages * t.BLOCK] == body.ljust(pages * t.BLOCK, b"\0"), f"segment {i}: bytes")
        at += pages * t.BLOCK
    t.expect(at == len(data), f"{len(data)} bytes, expected {at}")


def linked():
    """What gcc and ld make of a small program is accepted."""
    source = t.write("tiny.c", "static int a = 1; static char b[9000];\n"
                     "void _start(void) { for (;;) b[a]++; }\n")
    subprocess.run(["gcc", "-static", "-nostdlib", "-fno-pie", "-no-pie", "-o", t.path("tiny"), source],
                   check=True)
    with open(t.path("tiny"), "rb") as file:
        image, (status, _, errors) = make(file.read())
    t.expect(status == 0, errors)
    os.remove(image)


t.main([(f"init_{name}", lambda data=data, words=words: bad(data, words)) for name, data, words in BAD] +
       [("init_good", good), ("init_linked", linked)])
