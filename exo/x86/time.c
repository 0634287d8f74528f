/*
 * time.c - owns the local APIC timer, the PIT and the conversion of TSC to nanoseconds.
 *
 * The tick of 1 ms is the length of a CPU slot.  Frequencies are measured over about 2 ms of the
 * PIT, reading all three counters at both ends.  An emulator may be held up between the readings of
 * one end, and every clock would be wrong by that: so the TSC is read before and after, and a
 * window whose ends took long, or in which the PIT came to its end, does not count.
 */
#include "../kern/info.h"
#include "../kern/machine.h"
#include "cpu.h"
#include "io.h"
#include "paging.h"
#include "time.h"

enum {
	TICK_NS = 1000000,
	PIT_HZ = 1193182,
	PIT_CHANNEL0 = 0x40,
	PIT_CHANNEL2 = 0x42,
	PIT_COMMAND = 0x43,
	PIT_GATE = 0x61,
	PIT_WINDOW = 2400, /* counts, about 2 ms */
	PIT_ENDED = 0x20,  /* in PIT_GATE: channel 2 has counted down to 0 */
	WINDOWS = 100,	   /* tried at most */
	SHARPNESS = 32,	   /* a window is this many times as long as reading its ends took */
	LAPIC_EOI = 0xb0,
	LAPIC_SPURIOUS = 0xf0,
	LAPIC_TIMER = 0x320,
	LAPIC_LINT0 = 0x350,
	LAPIC_LINT1 = 0x360,
	LAPIC_TPR = 0x80,
	LAPIC_INITIAL = 0x380,
	LAPIC_COUNT = 0x390,
	LAPIC_DIVIDE = 0x3e0,
	LAPIC_MASKED = 1 << 16,
	LAPIC_PERIODIC = 1 << 17,
	LAPIC_EXTINT = 7 << 8,
	LAPIC_ON = 0x100,
	DIVIDE_BY_1 = 0xb,
	CMOS_INDEX = 0x70,
	CMOS_DATA = 0x71,
};

static volatile uint32_t *lapic(unsigned reg)
{
	return (volatile uint32_t *)(LAPIC_VA + reg);
}

void lapic_done(void)
{
	*lapic(LAPIC_EOI) = 0;
}

static uint32_t pit_read(void)
{
	uint32_t lo;

	outb(PIT_COMMAND, 0x80); /* latch channel 2 */
	lo = inb(PIT_CHANNEL2);
	return lo | (uint32_t)inb(PIT_CHANNEL2) << 8;
}

/* The three counters at one moment, and what the TSC counted while they were read. */
struct moment {
	uint64_t tsc, blur;
	uint32_t pit, apic;
};

static struct moment moment_now(void)
{
	const uint64_t before = x86_tsc();
	struct moment m;

	m.pit = pit_read();
	m.apic = *lapic(LAPIC_COUNT);
	m.tsc = x86_tsc();
	m.blur = m.tsc - before;
	return m;
}

/* 1 when both ends of the window are sharp, and the PIT counted all the time. */
static int window(struct moment *from, struct moment *to)
{
	outb(PIT_GATE, (inb(PIT_GATE) & ~2u) | 1);
	outb(PIT_COMMAND, 0xb0); /* channel 2, both bytes, count down once */
	outb(PIT_CHANNEL2, 0xff);
	outb(PIT_CHANNEL2, 0xff);
	do
		*from = moment_now();
	while (from->pit > 0xfff0);
	do
		*to = moment_now();
	while (from->pit - to->pit < PIT_WINDOW);
	return (inb(PIT_GATE) & PIT_ENDED) == 0 &&
	       (from->blur + to->blur) * SHARPNESS < to->tsc - from->tsc;
}

/* What the TSC and the local APIC count in a second; 0 and 0 where that cannot be told. */
static void measure(uint64_t *tsc_hz, uint64_t *lapic_hz)
{
	struct moment from, to;
	uint32_t tries = 0;

	*tsc_hz = *lapic_hz = 0;
	*lapic(LAPIC_DIVIDE) = DIVIDE_BY_1;
	*lapic(LAPIC_INITIAL) = 0xffffffffu;
	while (!window(&from, &to))
		if (++tries == WINDOWS)
			return;
	*tsc_hz = (to.tsc - from.tsc) * PIT_HZ / (from.pit - to.pit);
	*lapic_hz = (uint64_t)(from.apic - to.apic) * PIT_HZ / (from.pit - to.pit);
}

static uint8_t cmos(uint8_t reg)
{
	outb(CMOS_INDEX, reg);
	return inb(CMOS_DATA);
}

static uint32_t from_bcd(uint8_t v, int bcd)
{
	return bcd ? (uint32_t)(v >> 4) * 10 + (v & 15) : v;
}

/* Days from 1970-01-01 to the first of a month of the years 2000 to 2099. */
static uint64_t days(uint32_t year, uint32_t month)
{
	static const uint16_t before[12] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	uint64_t n = 10957 + (uint64_t)year * 365 + (year + 3) / 4 + before[(month - 1) % 12];

	return n + (month > 2 && year % 4 == 0);
}

struct rtc {
	uint8_t f[6]; /* second, minute, hour, day, month, year */
};

static struct rtc rtc_read(void)
{
	static const uint8_t reg[6] = {0, 2, 4, 7, 8, 9};
	struct rtc r;

	for (unsigned i = 0; i < 6; i++)
		r.f[i] = cmos(reg[i]);
	return r;
}

/* Seconds since 1970; read until two readings agree, since the clock may step in between. */
static uint64_t rtc_seconds(void)
{
	int bcd = !(cmos(11) & 4);
	struct rtc a = rtc_read();
	uint32_t v[6];

	for (unsigned tries = 0; tries < 8; tries++) {
		struct rtc b = rtc_read();
		unsigned same = 0;

		for (unsigned i = 0; i < 6; i++)
			same += a.f[i] == b.f[i];
		if (same == 6)
			break;
		a = b;
	}
	for (unsigned i = 0; i < 6; i++)
		v[i] = from_bcd(i == 2 ? a.f[i] & 0x7f : a.f[i], bcd);
	if (v[4] < 1 || v[4] > 12)
		return 0;
	return (days(v[5], v[4]) + v[3] - 1) * 86400 + v[2] * 3600 + v[1] * 60 + v[0];
}

static void lapic_start(uint64_t hz)
{
	*lapic(LAPIC_SPURIOUS) = LAPIC_ON | VECTOR_SPURIOUS;
	*lapic(LAPIC_TPR) = 0;
	*lapic(LAPIC_LINT0) = LAPIC_EXTINT;
	*lapic(LAPIC_LINT1) = LAPIC_MASKED;
	*lapic(LAPIC_TIMER) = LAPIC_PERIODIC | VECTOR_TIMER;
	*lapic(LAPIC_INITIAL) = (uint32_t)(hz / (1000000000u / TICK_NS));
}

/* Channel 0 of the PIT, once: the tick itself stays the local APIC's, so nothing drifts. */
void machine_slice_timer(void)
{
	const uint32_t count = (uint32_t)((uint64_t)PIT_HZ * (TICK_NS - EXO_GRACE_NS) / 1000000000);

	outb(PIT_COMMAND, 0x30); /* both bytes, interrupt when the count is over */
	outb(PIT_CHANNEL0, count % 256);
	outb(PIT_CHANNEL0, count / 256);
}

void time_init(void)
{
	uint64_t tsc_hz, lapic_hz;

	*lapic(LAPIC_TIMER) = LAPIC_MASKED;
	measure(&tsc_hz, &lapic_hz);
	if (tsc_hz < 1000000 || lapic_hz < 1000000)
		machine_panic("the timers do not run evenly (TSC, APIC per second)", tsc_hz,
			      lapic_hz);
	info.tick_ns = TICK_NS;
	info.tsc_hz = tsc_hz;
	info.ns_mult = ((1000000000ull << 32) + tsc_hz / 2) / tsc_hz;
	info.tsc_base = x86_tsc();
	info.epoch = rtc_seconds();
	lapic_start(lapic_hz);
}

uint64_t machine_tsc(void)
{
	return x86_tsc();
}

uint64_t machine_now(void)
{
	return (uint64_t)(((unsigned __int128)(x86_tsc() - info.tsc_base) * info.ns_mult) >> 32);
}
