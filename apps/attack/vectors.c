/*
 * vectors.c - int N for every N: a program must not look like a device or an exception.
 *
 * int3 and int 4 are the program's own; all others end as #GP with the gate in the error code (N *
 * 8; QEMU 7.2 says N * 16).  icebp looks at no gate's privilege: it is the debug exception, and the
 * program's own too.  QEMU 7.2 takes it for a call to its debugger and stops the machine, so there
 * it is not tried.
 */
#include "attack.h"

static int under_hypervisor(void)
{
	uint32_t a = 1, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return (c >> 31) != 0;
}

void attack_vectors(void)
{
	static const uint8_t icebp[] = {0xf1}, int3[] = {0xcc}, int1[] = {0xcd, 0x01};

	for (uint32_t n = 0; n < 256; n++) {
		const uint8_t code[] = {0xcd, (uint8_t)n};
		const struct tried t = try_code(code, sizeof code, 0);

		if (n == 3 || n == 4)
			tally(t.fault == n);
		else
			tally(t.fault == GP && (t.error == n * 8 + 2 || t.error == n * 16 + 2));
	}
	sum_up("int N");
	if (!under_hypervisor())
		score("icebp is the program's own debug exception",
		      try_code(icebp, 1, 0).fault == DB);
	score("int3 is the program's own", try_code(int3, 1, 0).fault == BP);
	score("int 1 is not", try_code(int1, 2, 0).fault == GP);
}
