/*
 * slots_plan_test.c - places for n slots in any `every` in a row: every share on an empty vector,
 * and shares at random on vectors that are full in part.
 */
#include <errno.h>
#include <stdio.h>
#include <libos/slots.h>

enum { ROUNDS = 3000 };

static uint64_t seed = 1;

static uint32_t below(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 33) % n;
}

/* What slots_least() says, counted without modulo of a window's middle: one window after the other.
 */
static uint32_t least(const struct slots *s, uint32_t every)
{
	uint32_t least = SLOTS, n = 0;

	for (uint32_t i = 0; i < SLOTS + every; i++) {
		n += (uint32_t)slots_has(s, i % SLOTS);
		if (i >= every)
			n -= (uint32_t)slots_has(s, i - every);
		if (i + 1 >= every && n < least)
			least = n;
	}
	return least;
}

static int within(const struct slots *a, const struct slots *b)
{
	const struct slots rest = slots_without(a, b);

	return slots_count(&rest) == 0;
}

/* On an empty vector each share is had, with no more slots than that takes. */
static int every_share(const struct slots *all)
{
	for (uint32_t every = 1; every <= SLOTS; every++) {
		for (uint32_t n = 1; n <= every; n += 1 + every / 8) {
			struct slots plan;

			if (slots_plan(&plan, all, n, every) || least(&plan, every) < n ||
			    slots_least(&plan, every) != least(&plan, every) ||
			    slots_count(&plan) > n * ((SLOTS + every - 1) / every))
				return 0;
		}
	}
	return 1;
}

static struct slots some(void)
{
	const uint32_t of = 2 + below(7);
	struct slots s = {{0}};

	for (uint32_t n = 0; n < SLOTS; n++)
		if (below(of))
			slots_add(&s, n);
	return s;
}

/* What is planned is usable and enough; a refusal for n = 1 is because all together are not enough.
 */
static int shares_at_random(uint32_t *had)
{
	for (uint32_t i = 0; i < ROUNDS; i++) {
		const struct slots usable = some();
		const uint32_t every = 1 + below(40), n = 1 + below(every);
		struct slots plan = {{7}};
		const int error = slots_plan(&plan, &usable, n, every);

		if (error && error != -ENOSPC)
			return 0;
		if (error && (plan.bit[0] != 7 || (n == 1 && least(&usable, every) >= 1)))
			return 0;
		if (!error && (!within(&plan, &usable) || least(&plan, every) < n))
			return 0;
		*had += !error;
	}
	return 1;
}

static int check(int good, const char *what)
{
	printf("%s slots %s\n", good ? "ok" : "FAIL", what);
	return !good;
}

int main(void)
{
	struct slots all = {{~0ull, ~0ull, ~0ull, ~0ull}}, plan;
	uint32_t had = 0;
	int failed = 0;

	failed += check(every_share(&all), "every share on an empty vector");
	failed += check(shares_at_random(&had), "shares at random on full ones");
	failed += check(had > ROUNDS / 10 && had < ROUNDS, "some are had and some refused");
	failed += check(slots_plan(&plan, &all, 0, 9) == -EINVAL &&
				slots_plan(&plan, &all, 10, 9) == -EINVAL &&
				slots_plan(&plan, &all, 1, SLOTS + 1) == -EINVAL &&
				slots_plan(&plan, &all, 1, 0) == -EINVAL,
			"senseless shares");
	return failed != 0;
}
