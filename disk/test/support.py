"""What the tests of the disk tools share: a scratch folder, stand-ins for what an image is made from,
and the running of tests, one line each."""

import atexit
import os
import shutil
import struct
import subprocess
import sys
import tempfile

OUT = os.environ.get("O", "build")
FHIMAGE = os.path.join(OUT, "host/fhimage")
FHIMAGE_ASAN = os.path.join(OUT, "host/fhimage-asan")
DEFAULT_MANIFEST = "disk/freehold.manifest"

os.makedirs(OUT, exist_ok=True)
SCRATCH = tempfile.mkdtemp(prefix="disk-test-", dir=OUT)
atexit.register(shutil.rmtree, SCRATCH, ignore_errors=True)

BLOCK = 4096
HEADER = 256 * BLOCK
R, W, X = 4, 2, 1


def path(name):
    return os.path.join(SCRATCH, name)


def write(name, data):
    with open(path(name), "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())
    return path(name)


def run(*words, tool=FHIMAGE, env=None):
    """(status, stdout, stderr); a tool that hangs is a failure."""
    done = subprocess.run([tool, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                          timeout=60, env={**os.environ, **(env or {})})
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def segment(va, data=b"code", memory=None, flags=R | X, **other):
    return {"va": va, "data": data, "memory": len(data) if memory is None else memory, "flags": flags,
            "type": 1, **other}


def elf(segments, entry=0x401000, kind=2, machine=62, elf_class=2, magic=b"\x7fELF", headers=None):
    """A static ELF64 program.  A segment may say its own file `offset` and `length`."""
    count = len(segments) if headers is None else headers
    at = (64 + 56 * len(segments) + 4095) // 4096 * 4096
    heads, body = b"", b""
    for s in segments:
        offset = s.get("offset", at + len(body) + s["va"] % 4096)
        heads += struct.pack("<IIQQQQQQ", s["type"], s["flags"], offset, s["va"], s["va"],
                             s.get("length", len(s["data"])), s["memory"], 4096)
        body += bytes(s["va"] % 4096) + s["data"]
        body += bytes(-len(body) % 4096)
    ident = magic + bytes([elf_class, 1, 1]) + bytes(9)
    head = ident + struct.pack("<HHIQQQIHHHHHH", kind, machine, 1, entry, 64, 0, 0, 64, 56, count, 0, 0, 0)
    return (head + heads).ljust(at, b"\0") + body


GOOD_INIT = [segment(0x400000, b"rodata", flags=R), segment(0x401000, b"\xeb\xfe" * 3000),
             segment(0x405010, b"data" * 10, memory=20000, flags=R | W)]


def stand_ins():
    """Loader, kernel, init, the default manifest's programs and a tree of files, always the same; options for `make`."""
    noise = bytes((i * 7 + i // 251) % 256 for i in range(60000))
    loader = write("loader.bin", noise[:440] + bytes(6 + 64) + b"\x55\xaa" + noise[:9000])
    kernel = write("kernel.bin", noise)
    init = write("init.elf", elf(GOOD_INIT))
    tree = path("files")
    if not os.path.isdir(tree):
        os.makedirs(os.path.join(tree, "etc/deep"))
        os.makedirs(os.path.join(tree, "empty"))
        for i in range(30):
            write(f"files/etc/deep/file{i * 7 % 30}", f"contents {i}\n" * (i * 50))
        os.symlink("deep/file3", os.path.join(tree, "etc/link"))
    programs = [write("sh", noise[:20000]), write("monitor", noise[:9000])]
    for program in programs:
        os.chmod(program, 0o755)
    return ["--loader", loader, "--kernel", kernel, "--kernel-bytes", "70000", "--init", init,
            "--files", tree, "--bin", *programs]


def make(image, *more, manifest=DEFAULT_MANIFEST, env=None):
    return run("make", "-o", image, "--manifest", manifest, *stand_ins(), *more, env=env)


def made(name="disk.img", size="16M", **keywords):
    image = path(name)
    status, _, errors = make(image, "--size", size, **keywords)
    expect(status == 0 and errors == "", f"make: status {status}: {errors}")
    return image


class Failed(Exception):
    pass


def expect(holds, why):
    if not holds:
        raise Failed(why)


def main(tests):
    """Runs (name, function) pairs and exits."""
    failed = 0
    for name, test in tests:
        try:
            test()
        except (Failed, subprocess.TimeoutExpired) as why:
            failed += 1
            print(f"FAIL {name}: {why}")
        else:
            print(f"ok {name}")
    sys.exit(1 if failed else 0)
