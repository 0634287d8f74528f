/*
 * time_test.c - host test of how the clocks are measured (x86/time.c), on a machine that is held
 * up.
 *
 * Plays PIT, local APIC and TSC by one time of its own, in which each port access and each look
 * takes a microsecond; now and then the machine is away for a while.  Single-threaded.
 */
#include <stdio.h>
#include "../../x86/cpu.h"

static uint64_t fake_tsc(void);
static volatile uint32_t apic[1024];

#define x86_tsc	 fake_tsc
#define LAPIC_VA ((uintptr_t)apic)
#include "../../x86/time.c"

enum { TSC_PER_US = 2500, APIC_PER_US = 1000, PIT_MOST = 0xffff, PERMILLE = 1000 };

struct exo_info info;
static uint64_t us, pit_since;
static uint32_t looks, away_every, away_us, latched, high;
static int failed;

/* A microsecond goes by, or more. */
static void pass(void)
{
	us += 1 + (away_every && ++looks % away_every == 0 ? away_us : 0);
	apic[LAPIC_COUNT / 4] = apic[LAPIC_INITIAL / 4] - (uint32_t)(us * APIC_PER_US);
}

static uint64_t fake_tsc(void)
{
	pass();
	return us * TSC_PER_US;
}

static uint64_t pit_passed(void)
{
	return (us - pit_since) * PIT_HZ / 1000000;
}

void outb(uint16_t port, uint8_t value)
{
	pass();
	if (port == PIT_COMMAND && value == 0x80)
		latched = (uint32_t)(PIT_MOST - pit_passed()) & PIT_MOST;
	else if (port == PIT_CHANNEL2)
		pit_since = us;
	high = 0;
}

uint8_t inb(uint16_t port)
{
	pass();
	if (port == PIT_GATE)
		return pit_passed() > PIT_MOST ? PIT_ENDED : 0;
	if (port == PIT_CHANNEL2)
		return (uint8_t)(high++ ? latched >> 8 : latched);
	return 0;
}

_Noreturn void machine_panic(const char *what, uint64_t a, uint64_t b)
{
	printf("FAIL time: panic: %s %llu %llu\n", what, (unsigned long long)a,
	       (unsigned long long)b);
	_Exit(1);
}

static void check(const char *name, int good)
{
	printf("%s time: %s\n", good ? "ok" : "FAIL", name);
	failed |= !good;
}

static int near(uint64_t hz, uint64_t mhz)
{
	const uint64_t right = mhz * 1000000;

	return hz > right - right * 40 / PERMILLE && hz < right + right * 40 / PERMILLE;
}

/* Away for so many microseconds at each so many-th look. */
static int right_when(uint32_t every, uint32_t away)
{
	uint64_t tsc, lapic_hz;

	us = looks = 0;
	away_every = every;
	away_us = away;
	measure(&tsc, &lapic_hz);
	return near(tsc, TSC_PER_US) && near(lapic_hz, APIC_PER_US);
}

/* "no boot drive" at load 20: the clock ran hundreds of times too fast, and all patience was over.
 */
static void test_held_up(void)
{
	int good = 1;

	for (uint32_t every = 700; every < 1400; every++)
		good &= right_when(every, 16000) & right_when(every, 300) &
			right_when(5 * every, 120000);
	check("right on a machine that is held up", good);
}

static void test_dead(void)
{
	uint64_t tsc = 1, lapic_hz = 1;

	us = looks = 0;
	away_every = 3; /* never still for as long as it takes */
	away_us = 1000;
	measure(&tsc, &lapic_hz);
	check("says so where it cannot be told", tsc == 0 && lapic_hz == 0);
}

int main(void)
{
	check("right", right_when(0, 0));
	test_held_up();
	test_dead();
	return failed;
}
