#!/usr/bin/python3
"""exo-bpf against RFC 9669, said once more in Python.

Each vector is a program of a few instructions, as hex, whose r0 Python works out with numbers of any size. Operands
are numbers that the verifier knows (lddw), or come from memory, which it does not. Half of them are at the edges:
zero, the least and greatest of each width, distances of shifts at and beyond it. `ok` or `FAIL` for each group of
instructions; run from the top folder.
"""
import concurrent.futures
import os
import random
import struct
import subprocess

EXO_BPF = os.path.join(os.environ.get("O") or "build", "host/exo-bpf")
ALL = (1 << 64) - 1
EDGES = (0, 1, 2, 7, 31, 32, 33, 63, 64, 65, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0x7fffffff, 0x80000000, 0xffffffff,
         0x100000000, 0x7fffffffffffffff, 0x8000000000000000, 0xffffffff80000000, ALL - 1, ALL)
REGISTER = 8  # the operand is one
ALU, JMP, JMP32, ALU64 = 4, 5, 6, 7
EXIT = "9500000000000000"
CHANCE = random.Random(9669)


# ---- what the RFC says ----

def signed(value, bits):
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def quotient(a, b):
    """Rounded toward zero."""
    return abs(a) // abs(b) * (-1 if (a < 0) != (b < 0) else 1)


def divide(a, b):
    return quotient(a, b) if b else 0


def remain(a, b):
    return a - quotient(a, b) * b if b else a


# Of operands without sign, their signs aside, and the width.
ARITHMETIC = {
    0x00: lambda a, b, w: a + b, 0x10: lambda a, b, w: a - b, 0x20: lambda a, b, w: a * b,
    0x30: lambda a, b, w: divide(a, b), 0x40: lambda a, b, w: a | b, 0x50: lambda a, b, w: a & b,
    0x60: lambda a, b, w: a << b % w, 0x70: lambda a, b, w: a >> b % w, 0x90: lambda a, b, w: remain(a, b),
    0xa0: lambda a, b, w: a ^ b, 0xb0: lambda a, b, w: b, 0xc0: lambda a, b, w: signed(a, w) >> b % w,
}
COMPARE = {
    0x10: lambda a, b: a == b, 0x20: lambda a, b: a > b, 0x30: lambda a, b: a >= b, 0x40: lambda a, b: a & b != 0,
    0x50: lambda a, b: a != b, 0xa0: lambda a, b: a < b, 0xb0: lambda a, b: a <= b,
}
COMPARE_SIGNED = {
    0x60: lambda a, b: a > b, 0x70: lambda a, b: a >= b, 0xc0: lambda a, b: a < b, 0xd0: lambda a, b: a <= b,
}


# ---- programs ----

def insn(op, dst=0, src=0, off=0, imm=0):
    return struct.pack("<BBhi", op, dst | src << 4, off, signed(imm, 32)).hex()


def lddw(reg, value):
    return insn(0x18, reg, imm=value) + insn(0, imm=value >> 32)


def number():
    return CHANCE.choice(EDGES) if CHANCE.random() < 0.5 else CHANCE.getrandbits(CHANCE.choice((8, 16, 32, 64)))


def operands(a, b):
    """r0 = a, r6 = b: instructions and memory."""
    if CHANCE.random() < 0.5:
        return lddw(0, a) + lddw(6, b), ""
    return insn(0x79, 0, 1) + insn(0x79, 6, 1, 8), struct.pack("<QQ", a, b).hex()


def with_operand(op, a, b, off=0):
    """`op` of r0 and of b, as a register or an immediate: the instruction, and b as it takes it."""
    if CHANCE.random() < 0.5:
        return insn(op | REGISTER, 0, 6, off), b
    return insn(op, 0, 0, off, b), signed(b, 32) & ALL


def arithmetic(bits, is_signed):
    codes = (0x30, 0x90) if is_signed else ARITHMETIC
    for code in codes:
        for _ in range(12):
            a, b = number(), number()
            before, memory = operands(a, b)
            it, b = with_operand((ALU64 if bits == 64 else ALU) | code, a, b, int(is_signed))
            a, b = (signed(n, bits) if is_signed else n % (1 << bits) for n in (a, b))
            yield before + it + EXIT, memory, ARITHMETIC[code](a, b, bits) % (1 << bits)


def negation():
    for bits, kind in ((64, ALU64), (32, ALU)):
        for a in EDGES:
            before, memory = operands(a, 0)
            yield before + insn(kind | 0x80) + EXIT, memory, -a % (1 << bits)


def moves_with_sign():
    for bits, kind, widths in ((64, ALU64, (8, 16, 32)), (32, ALU, (8, 16))):
        for width in widths:
            for b in EDGES:
                before, memory = operands(0, b)
                yield before + insn(kind | 0xb0 | REGISTER, 0, 6, width) + EXIT, memory, signed(b, width) % (1 << bits)


def byte_order():
    for width in (16, 32, 64):
        for _ in range(8):
            a = number()
            before, memory = operands(a, 0)
            low = a % (1 << width)
            swapped = int.from_bytes(low.to_bytes(width // 8, "little"), "big")
            for op, result in ((0xd4, low), (0xdc, swapped), (0xd7, swapped)):
                yield before + insn(op, imm=width) + EXIT, memory, result


def jumps(bits):
    for code in (*COMPARE, *COMPARE_SIGNED):
        for _ in range(12):
            a, b = number(), number()
            b = a if CHANCE.random() < 0.25 else b
            before, memory = operands(a, b)
            it, b = with_operand((JMP if bits == 64 else JMP32) | code, a, b, 2)
            if code in COMPARE:
                taken = COMPARE[code](a % (1 << bits), b % (1 << bits))
            else:
                taken = COMPARE_SIGNED[code](signed(a, bits), signed(b, bits))
            yield before + it + insn(0xb7) + EXIT + insn(0xb7, imm=1) + EXIT, memory, int(taken)


def long_and_short_jump():
    for jump in (insn(0x05, off=1), insn(0x06, imm=1)):
        yield insn(0xb7, imm=1) + jump + insn(0xb7, imm=2) + EXIT, "", 1


def memory_accesses():
    """Loads of the context, with sign and without; to the stack and back."""
    for size, load, load_sign, store, store_imm in ((1, 0x71, 0x91, 0x73, 0x72), (2, 0x69, 0x89, 0x6b, 0x6a),
                                                   (4, 0x61, 0x81, 0x63, 0x62), (8, 0x79, None, 0x7b, 0x7a)):
        for _ in range(8):
            value, at = number(), CHANCE.randrange(9)
            low = value % (1 << 8 * size)
            memory = bytes(at) + low.to_bytes(size, "little") + b"\xff"
            yield insn(load, 0, 1, at) + EXIT, memory.hex(), low
            if load_sign:
                yield insn(load_sign, 0, 1, at) + EXIT, memory.hex(), signed(low, 8 * size) & ALL
            place = -CHANCE.randrange(size, 513)
            yield lddw(2, value) + insn(store, 10, 2, place) + insn(load, 0, 10, place) + EXIT, "", low
            yield (insn(store_imm, 10, 0, place, value) + insn(load, 0, 10, place) + EXIT, "",
                   (signed(value, 32) & ALL) % (1 << 8 * size))


# ---- running ----

def wrong(vector):
    program, memory, result = vector
    done = subprocess.run([EXO_BPF, "--strict", memory], input=program, capture_output=True, text=True, check=False)
    got = done.stdout.strip() or done.stderr.strip()
    return None if got == f"{result:x}" else f"{program} on '{memory}': {got}, not {result:x}"


def main():
    groups = (("arithmetic in 64 bits", arithmetic(64, False)), ("arithmetic in 32 bits", arithmetic(32, False)),
              ("signed division in 64 bits", arithmetic(64, True)), ("signed division in 32 bits", arithmetic(32, True)),
              ("negation", negation()), ("moves with sign", moves_with_sign()), ("byte order", byte_order()),
              ("jumps of 64 bits", jumps(64)), ("jumps of 32 bits", jumps(32)), ("goto", long_and_short_jump()),
              ("memory", memory_accesses()))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, vectors in groups:
            found = [text for text in pool.map(wrong, list(vectors)) if text]
            print(f"FAIL rfc 9669: {name}: {found[0]}" if found else f"ok rfc 9669: {name}", flush=True)


main()
