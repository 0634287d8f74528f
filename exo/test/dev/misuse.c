/*
 * misuse.c - mistakes with registers, one per value of MISUSE; same_code.sh sees that none
 * compiles, and that MISUSE=0 does.
 */
#include "../../dev/ata.h"

void misuse(struct ata_regs r);

void misuse(struct ata_regs r)
{
#if MISUSE == 0
	put_command(r.command, ATA_FLUSH);
#elif MISUSE == 1
	put_command(r.count, ATA_FLUSH);
#elif MISUSE == 2
	put_count(r.count, ATA_FLUSH);
#elif MISUSE == 3
	put_command(r.command, 0xe7);
#elif MISUSE == 4
	put_control(r.bm_command, (struct ata_control){0});
#elif MISUSE == 5
	put_bm_command(r.bm_command, ATA_READ_DMA);
#elif MISUSE == 6
	put_command(r.command, get_status(r.status));
#elif MISUSE == 7
	(void)status_failed(get_bm_status(r.bm_status));
#elif MISUSE == 8
	put_lba(r.select, 0);
#endif
}
