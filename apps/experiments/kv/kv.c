/*
 * kv - puts and gets of a key-value store, a sync after every few puts, and what the disk did for
 * them.
 *
 *   kv PLACE LAYOUT KEYS OPERATIONS PUTS SYNC SEED
 *
 * PLACE is a file's path, or extent:NAME for blocks of one's own; LAYOUT is page or log.  Of
 * OPERATIONS, PUTS in a hundred are puts, the others gets, of keys by chance.  All keys are put
 * before the measuring.  What each get finds is checked; in the end the store is taken up again
 * from its blocks, and each key must have the value that was put last.
 */
#include "../experiment_posix.h"
#include "kv.h"

enum { MOST_KEYS = 100000, MOST_OPERATIONS = 1000000 };

static uint64_t keys, seed, dice, *versions; /* of each key, the one put last */
static const struct kv_layout *layout;

/* ---- records ------------------------------------------------------------------------------ */

static uint64_t check_of(const struct kv_record *r)
{
	uint64_t sum = (r->key * 31 + r->version) * 31 + r->era + 1;

	for (uint32_t i = 0; i < KV_VALUE; i++)
		sum = (sum ^ r->value[i]) * 0x9e3779b97f4a7c15ull;
	return sum;
}

void kv_seal(struct kv_record *r)
{
	r->check = check_of(r);
}

int kv_sound(const struct kv_record *r)
{
	return r->check == check_of(r);
}

static void make_record(struct kv_record *r, uint64_t key, uint64_t version)
{
	*r = (struct kv_record){.key = key, .version = version};
	for (uint32_t i = 0; i < KV_VALUE; i++)
		r->value[i] = experiment_word(seed + version, key * KV_VALUE + i);
}

/* Whether it is what was put last. */
static int is_right(const struct kv_record *r, uint64_t key)
{
	struct kv_record expected;

	make_record(&expected, key, versions[key]);
	return r->key == key && r->version == versions[key] &&
	       memcmp(r->value, expected.value, sizeof(r->value)) == 0;
}

/* ---- the workload ------------------------------------------------------------------------- */

static void put(uint64_t key)
{
	struct kv_record r;

	make_record(&r, key, ++versions[key]);
	need(layout->put(&r), "a put");
}

static uint64_t get_is_wrong(uint64_t key)
{
	struct kv_record r;
	const int error = layout->get(key, &r);

	need(error == -ENOENT ? 0 : error, "a get");
	return error || !is_right(&r, key);
}

static void load(void)
{
	for (uint64_t key = 0; key < keys; key++)
		put(key);
	need(layout->sync(), "a sync");
}

static uint64_t run(uint64_t operations, uint64_t puts, uint64_t every)
{
	uint64_t wrong = 0, unsynced = 0;

	for (uint64_t i = 0; i < operations; i++) {
		const uint64_t key = experiment_random(&dice) % keys;

		if (experiment_random(&dice) % 100 >= puts) {
			wrong += get_is_wrong(key);
			continue;
		}
		put(key);
		if (++unsynced % every == 0)
			need(layout->sync(), "a sync");
	}
	need(layout->sync(), "a sync");
	return wrong;
}

/* Keys that are not found again as they were put last. */
static uint64_t count_lost(void)
{
	uint64_t lost = 0;

	place_forget();
	need(layout->recover(keys), "taking up the store");
	for (uint64_t key = 0; key < keys; key++)
		lost += get_is_wrong(key);
	return lost;
}

static void report(const struct experiment_cost *cost, uint64_t operations)
{
	metric("ticks", cost->ticks);
	metric("ticks_per_operation", cost->ticks / operations);
	metric("disk_commands", cost->commands);
	metric("disk_blocks_written", cost->written);
	metric("disk_blocks_read", cost->read);
}

static const struct kv_layout *find_layout(const char *name)
{
	static const struct kv_layout *const all[] = {&layout_page, &layout_log};

	for (uint32_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
	usage("kv PLACE page|log KEYS OPERATIONS PUTS SYNC SEED");
}

int main(int argc, char **argv)
{
	uint64_t operations, puts, every, wrong;
	struct experiment_cost cost;

	if (argc != 8)
		usage("kv PLACE page|log KEYS OPERATIONS PUTS SYNC SEED");
	layout = find_layout(argv[2]);
	keys = argument("KEYS", argv[3], 1, MOST_KEYS);
	operations = argument("OPERATIONS", argv[4], 1, MOST_OPERATIONS);
	puts = argument("PUTS", argv[5], 0, 100);
	every = argument("SYNC", argv[6], 1, MOST_OPERATIONS);
	seed = dice = argument("SEED", argv[7], 0, UINT32_MAX);
	versions = calloc(keys, sizeof(*versions));
	need(versions ? 0 : -ENOMEM, "memory");
	need(place_open(argv[1], layout->blocks(keys)), argv[1]);
	need(layout->make(keys), "an empty store");
	load();
	cost = experiment_now();
	wrong = run(operations, puts, every);
	cost = experiment_since(&cost);
	report(&cost, operations);
	wrong += count_lost();
	if (wrong)
		fprintf(stderr, "kv: %" PRIu64 " values are wrong\n", wrong);
	return wrong != 0;
}
