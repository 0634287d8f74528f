/*
 * inside_io.c - exo/kern/io.c, and what the exhaustion does with its variables.
 */
#include "../../kern/io.c"
#include "disk.h"

static const uint64_t NOW = 1000000000000;

/* A request that is no more; the generation of one that is: that of its extent, or gone. */
static void plain_request(uint32_t io)
{
	if (ios[io].state == EXO_IOS_FREE) {
		ios[io] = (struct exo_io){0};
		io_cap[io] = 0;
		io_gen[io] = 0;
		for (uint32_t i = 0; i < EXO_IO_BLOCKS && io != IO_KERNEL; i++)
			if (io_frames[io][i] != 0)
				io_frames[io][i] = 0;
	} else if (io != IO_KERNEL) {
		io_gen[io] = io_gen[io] == extent_gen(ios[io].extent);
	}
}

/* Rings are empty after each move, so that only what is left of their indices goes. */
static void plain_asker(uint32_t e)
{
	askers[e].sq_head = askers[e].cq_tail = 0;
	if (askers[e].channel == 0)
		askers[e].next = askers[e].prev = 0;
	if (envs[e].io_ring != 0)
		*machine_ring((struct pfn){envs[e].io_ring}) = (struct exo_ring){0};
}

int inside_io_stale(uint32_t io)
{
	return io_gen[io] != extent_gen(ios[io].extent);
}

void inside_io_plain(void)
{
	for (uint32_t io = 0; io < EXO_NIO; io++)
		if (ios[io].op != 0)
			plain_request(io);
	for (uint32_t e = 1; e < info.envs; e++)
		if (envs[e].state != EXO_ENV_FREE)
			plain_asker(e);
	for (uint32_t c = 0; c < NCHANNEL; c++)
		channels[c].since =
			channels[c].active != 0 ? NOW + channels[c].since - machine_now() : 0;
	for (uint32_t d = 0; d < EXO_NDRIVE; d++)
		drives[d].commands = drives[d].errors = drives[d].blocks_read =
			drives[d].blocks_written = 0;
}
