/*
 * code.c - owns nothing; decides which program an instruction belongs to.
 *
 * Asked when an emulator decodes an instruction, which it does anew when the page has been written
 * to, so that the answer holds for as long as the emulator keeps what it decoded.
 */
#include "code.h"
#include <string.h>
#include "guest.h"

static bool kernel_seen;

bool site_kernel_runs(void)
{
	return kernel_seen;
}

static bool is_prefix(uint8_t byte)
{
	return byte == 0x66 || byte == 0x67 || byte == 0xf2 || byte == 0xf3 || byte == 0x2e ||
	       byte == 0x3e || (byte & 0xf0) == 0x40;
}

static bool is_string(uint8_t opcode)
{
	return (opcode >= 0x6c && opcode <= 0x6f) || (opcode >= 0xa4 && opcode <= 0xa7) ||
	       (opcode >= 0xaa && opcode <= 0xaf);
}

static enum kind kind_of(const uint8_t *bytes, size_t size)
{
	bool repeats = false;
	size_t i = 0;

	while (i + 1 < size && is_prefix(bytes[i])) {
		repeats |= bytes[i] == 0xf2 || bytes[i] == 0xf3;
		i++;
	}
	if (bytes[i] == 0xe8 || (bytes[i] == 0xff && i + 1 < size && (bytes[i + 1] >> 3 & 7) == 2))
		return KIND_CALL;
	if (bytes[i] == 0xc3 || bytes[i] == 0xc2)
		return KIND_RETURN;
	if (bytes[i] == 0xcf)
		return KIND_RESUME;
	return repeats && is_string(bytes[i]) ? KIND_REPEAT : KIND_PLAIN;
}

/* The program with the environment's name, or null. */
static struct image *named(uint32_t e)
{
	const struct exo_env env = guest_env(e);
	char name[sizeof(env.name) + 1] = {0};

	memcpy(name, env.name, sizeof(env.name));
	return image_named(name);
}

/* The program whose page this is; *several: one of those that have the same. */
static struct image *program_at(uint64_t pc, bool *several)
{
	uint8_t page[GUEST_PAGE];
	const uint32_t e = guest_current();
	struct image *image, *name;
	uint64_t physical;

	if (!guest_translate(e, pc, &physical))
		return image_unknown();
	guest_read(physical & -(uint64_t)GUEST_PAGE, page, sizeof(page));
	image = image_of_page(pc & -(uint64_t)GUEST_PAGE, page, sizeof(page), several);
	if (image != NULL)
		return image;
	name = named(e);
	if (name != NULL && image_covers(name, pc)) /* it was built, and another one runs */
		name->differs = true;
	return image_unknown();
}

static struct image *kernel_at(uint64_t pc, const uint8_t *bytes, size_t size)
{
	kernel_seen = true;
	if (image_has(image_kernel(), pc, bytes, size))
		return image_kernel();
	image_kernel()->differs = true;
	return image_unknown();
}

static struct image *image_at(uint64_t pc, const uint8_t *bytes, size_t size, bool *several)
{
	if (guest_in_kernel(pc))
		return kernel_at(pc, bytes, size);
	return kernel_seen ? program_at(pc, several) : image_firmware();
}

/* A mark counts for all programs that have the same page: it is the same code in each. */
void site_find(struct site *site, uint64_t pc, const uint8_t *bytes, size_t size)
{
	*site = (struct site){
		.pc = pc, .end = pc + size, .kind = kind_of(bytes, size), .size = (uint8_t)size};
	memcpy(site->bytes, bytes, size);
	site->image = image_at(pc, bytes, size, &site->several);
	site->function = image_function(site->image, pc);
	site->mark = image_mark(site->image, pc);
}

struct image *site_image(const struct site *site, struct image *running, uint32_t e)
{
	struct image *name = named(e);

	if (running != NULL && site->pc != running->entry &&
	    image_alike(running, site->image, site->pc))
		return running;
	if (name != NULL && image_alike(name, site->image, site->pc))
		return name;
	return site->image;
}
