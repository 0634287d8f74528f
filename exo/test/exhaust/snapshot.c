/*
 * snapshot.c - owns the images of the world, and which pages of it are in play.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "snapshot.h"

enum { PAGE = 4096, LINE = 64, PAGES_MAX = 8192, IMAGES = 8 };

/* From the linker. */
extern uint8_t __start_world[], __stop_world[];

static struct image beginning, images[IMAGES];
static uint32_t image_count;
static uint32_t in_play[PAGES_MAX], in_play_count; /* pages of the world, as they came */

static size_t world_bytes(void)
{
	return (size_t)(__stop_world - __start_world);
}

static uint8_t *map_bytes(void)
{
	void *const bytes =
		mmap(0, world_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (bytes == MAP_FAILED)
		abort();
	return bytes;
}

void snap_begin(void)
{
	if (world_bytes() > (size_t)PAGES_MAX * PAGE)
		abort();
	beginning.bytes = map_bytes();
	memcpy(beginning.bytes, __start_world, world_bytes());
	if (mprotect(__start_world, world_bytes(), PROT_READ) != 0)
		abort();
}

struct image snap_image(void)
{
	const struct image i = {map_bytes()};

	if (image_count == IMAGES)
		abort();
	for (uint32_t p = 0; p < in_play_count; p++)
		memcpy(i.bytes + in_play[p], beginning.bytes + in_play[p], PAGE);
	images[image_count++] = i;
	return i;
}

int snap_touch(const void *address)
{
	const uint8_t *const at = address;
	size_t page;

	if (at < __start_world || at >= __stop_world || beginning.bytes == 0)
		return 0;
	page = (size_t)(at - __start_world) / PAGE * PAGE;
	if (mprotect(__start_world + page, PAGE, PROT_READ | PROT_WRITE) != 0)
		abort();
	for (uint32_t i = 0; i < image_count; i++)
		memcpy(images[i].bytes + page, beginning.bytes + page, PAGE);
	in_play[in_play_count++] = (uint32_t)page;
	return 1;
}

void snap_take(struct image to)
{
	for (uint32_t p = 0; p < in_play_count; p++)
		memcpy(to.bytes + in_play[p], __start_world + in_play[p], PAGE);
}

void snap_put(struct image from)
{
	for (uint32_t p = 0; p < in_play_count; p++)
		memcpy(__start_world + in_play[p], from.bytes + in_play[p], PAGE);
}

int snap_same(struct image with)
{
	for (uint32_t p = 0; p < in_play_count; p++)
		if (memcmp(with.bytes + in_play[p], __start_world + in_play[p], PAGE) != 0)
			return 0;
	return 1;
}

int snap_same_but(struct image with, void *at, uint32_t n)
{
	uint8_t now[64];
	int same;

	if (n > sizeof now)
		abort();
	memcpy(now, at, n);
	memcpy(at, with.bytes + ((uint8_t *)at - __start_world), n);
	same = snap_same(with);
	memcpy(at, now, n);
	return same;
}

static uint64_t mix(uint64_t h, uint64_t word)
{
	const __uint128_t product =
		(__uint128_t)(h ^ word) * (0x9e3779b97f4a7c15ull ^ (word << 1 | 1));

	return (uint64_t)product ^ (uint64_t)(product >> 64) ^ word;
}

/* The sum over lines, so that the order in which pages came into play does not count. */
static uint64_t hash_page(uint32_t page)
{
	uint64_t sum = 0;

	for (uint32_t line = page; line < page + PAGE; line += LINE) {
		const uint64_t *const w = (const uint64_t *)(const void *)(__start_world + line);
		const uint64_t *const b = (const uint64_t *)(const void *)(beginning.bytes + line);
		uint64_t differs = 0, h = line + 0x8000000000000001ull;

		for (uint32_t i = 0; i < LINE / 8; i++)
			differs |= w[i] ^ b[i];
		if (differs == 0)
			continue;
		for (uint32_t i = 0; i < LINE / 8; i++)
			h = mix(h, w[i] + 0xd1b54a32d192ed03ull * (i + 1));
		sum += mix(h, line);
	}
	return sum;
}

uint64_t snap_hash(void)
{
	uint64_t sum = 1;

	for (uint32_t p = 0; p < in_play_count; p++)
		sum += hash_page(in_play[p]);
	return sum;
}

/* Words of this page that differ from the beginning go to place[] and value[]. */
static uint32_t pack_page(uint32_t page, uint32_t *place, uint64_t *value)
{
	uint32_t n = 0;

	for (uint32_t at = page; at < page + PAGE; at += 8) {
		uint64_t now, old;

		memcpy(&now, __start_world + at, 8);
		memcpy(&old, beginning.bytes + at, 8);
		if (now != old) {
			place[n] = at;
			value[n++] = now;
		}
	}
	return n;
}

struct packed *snap_pack(void)
{
	static uint32_t place[PAGES_MAX * (PAGE / 8)];
	static uint64_t value[PAGES_MAX * (PAGE / 8)];
	struct packed *packed;
	uint32_t n = 0;

	for (uint32_t p = 0; p < in_play_count; p++)
		n += pack_page(in_play[p], place + n, value + n);
	packed = malloc(sizeof *packed + n * 12ull);
	if (!packed)
		abort();
	packed->count = n;
	memcpy(packed->place, place, n * 4ull);
	memcpy(packed->place + n, value, n * 8ull);
	return packed;
}

void snap_unpack(const struct packed *from, struct image to)
{
	const uint8_t *const values = (const uint8_t *)(from->place + from->count);

	for (uint32_t p = 0; p < in_play_count; p++)
		memcpy(to.bytes + in_play[p], beginning.bytes + in_play[p], PAGE);
	for (uint32_t i = 0; i < from->count; i++)
		memcpy(to.bytes + from->place[i], values + 8ull * i, 8);
}
