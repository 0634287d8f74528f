/*
 * typed.c - helpers written with the typed registers of dev/ata.h; bare.c has the same with bare
 * ports.  same_code.sh compiles both and compares the machine code.
 */
#include "../../dev/ata.h"

void send_command(struct ata_regs r);
uint32_t read_status(struct ata_regs r);
void send_address(struct ata_regs r, uint64_t lba, uint32_t sectors);
void start_transfer(struct ata_regs r, uint32_t table);
uint32_t wait_idle(struct ata_regs r);

void send_command(struct ata_regs r)
{
	put_command(r.command, ATA_FLUSH);
}

uint32_t read_status(struct ata_regs r)
{
	const struct ata_status s = get_status(r.status);

	return status_failed(s) ? get_error(r.error).bits : 0;
}

void send_address(struct ata_regs r, uint64_t lba, uint32_t sectors)
{
	put_select(r.select, (struct ata_select){SELECT_BASE | SELECT_LBA});
	put_count(r.count, (uint8_t)sectors);
	for (uint32_t i = 0; i < 3; i++)
		put_lba(r.lba[i], (uint8_t)(lba >> 8 * i));
}

void start_transfer(struct ata_regs r, uint32_t table)
{
	put_bm_table(r.bm_table, table);
	put_bm_status(r.bm_status, (struct bm_status){BM_STATUS_ERROR | BM_STATUS_IRQ});
	put_command(r.command, ATA_READ_DMA);
	put_bm_command(r.bm_command, (struct bm_command){BM_TO_MEMORY | BM_START});
}

uint32_t wait_idle(struct ata_regs r)
{
	for (uint32_t i = 0; i < 1000; i++) {
		if (!status_busy(get_status(r.alternate)))
			return 1;
	}
	return 0;
}
