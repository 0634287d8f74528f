/*
 * image.h - the boot image on the disk: what the image maker writes, the loader and the kernel
 * read.
 *
 *   LBA 0        boot sector and MBR partition table
 *   LBA 1..63    second stage of the loader
 *   block 256    partition 1 (type 0x7e): header, manifest, kernel, init, extent tables, pool
 *
 *   +0        +1..             +k       +i      +a            +b            +p
 *   header    manifest blocks  kernel   init    table copy A  table copy B  pool of blocks
 *
 * All places are absolute block numbers of the drive.  Little-endian, no padding, CRC-32C.
 */
#ifndef EXO_IMAGE_H
#define EXO_IMAGE_H

#include <exo/tables.h>

#define EXO_IMAGE_MAGIC	  0x696e617265657246ull
#define EXO_IMAGE_VERSION 2u

enum {
	EXO_IMAGE_BLOCK = 256, /* header's block: LBA 2048 */
	EXO_PARTITION_TYPE = 0x7e,
	EXO_LOADER_SECTORS = 64, /* boot sector included */
};

struct exo_image {
	uint64_t magic;
	uint32_t version;
	uint32_t crc;	 /* of this struct with crc = 0 */
	uint64_t id;	 /* tells images apart; loader and drives must agree */
	uint64_t blocks; /* of the drive the image was made for; a smaller drive is refused */
	uint64_t manifest, manifest_blocks;
	uint64_t kernel, kernel_blocks; /* flat; loaded at EXO_KERNEL_PHYS, entered at its start */
	uint64_t kernel_bytes;		/* with bss: memory it occupies from EXO_KERNEL_PHYS */
	uint64_t init, init_blocks;	/* struct exo_init and its segments */
	uint64_t table[2];		/* the two copies of the extent table */
	uint64_t table_blocks;		/* of each copy: 1 header block and the records */
	uint64_t pool, pool_end;	/* blocks that extents may cover */
	uint64_t kernel_crc, init_crc;	/* of all their blocks, the zeros at the end included */
};
_Static_assert(sizeof(struct exo_image) == 144, "image header");

#define EXO_KERNEL_PHYS 0x100000ull
#define EXO_KERNEL_VA	0xffffffff80000000ull /* of physical 0: the kernel is at +1 MiB */

/* First program: a page-aligned header block, then the segments' pages in order. */
struct exo_init_segment {
	uint64_t va;	     /* page aligned, lower half */
	uint32_t pages;	     /* in the image */
	uint32_t zero_pages; /* after them, zeroed */
	uint32_t perm;	     /* EXO_MAP_* */
	uint32_t reserved;
};

#define EXO_INIT_MAGIC 0x74696e6965657246ull
enum { EXO_INIT_SEGMENTS = 8 };

struct exo_init {
	uint64_t magic;
	uint64_t entry;
	uint32_t segments;
	uint32_t reserved;
	struct exo_init_segment seg[EXO_INIT_SEGMENTS];
};
_Static_assert(sizeof(struct exo_init) == 24 + 24 * EXO_INIT_SEGMENTS, "init header");

/* The kernel also gives it a stack and its upcall page, at places it must leave free. */
enum { EXO_INIT_UPCALL = 0x200000, EXO_INIT_STACK_TOP = 0x400000, EXO_INIT_STACK_PAGES = 4 };

/* First block of each copy of the extent table; records follow, 64 a block, record 0 a sentinel. */
#define EXO_EXTENTS_MAGIC 0x746e657478457246ull
enum { EXO_EXTENTS_PER_BLOCK = 64 };

struct exo_extents_head {
	uint64_t magic;
	uint32_t version; /* EXO_IMAGE_VERSION */
	uint32_t crc;	  /* of this struct with crc = 0 */
	uint64_t id;	  /* struct exo_image.id */
	uint64_t seq;	  /* the valid copy with the higher number is the table */
	uint32_t blocks;  /* record blocks that follow */
	uint32_t reserved;
	uint32_t block_crc[EXO_NEXTENT / EXO_EXTENTS_PER_BLOCK];
};
_Static_assert(sizeof(struct exo_extents_head) == 40 + 4 * 64, "fits one sector");

/*
 * The manifest: what the boot manifest's text (doc/manifest.md) was compiled to.  Init reads it;
 * the kernel only maps it.  It stands in memory read-only at EXO_MANIFEST_VA of the first program.
 */
#define EXO_MANIFEST_MAGIC 0x6e614d6565657246ull
#define EXO_MANIFEST_VA	   0x3f000000ull

/* Set in a quota of the manifest: the rest of the number is a percentage. */
#define EXO_MANIFEST_PERCENT 0x80000000u

enum {
	EXO_MANIFEST_PROGRAMS = 32,
	EXO_MANIFEST_INIT = 255,
	EXO_MANIFEST_CAPS = 8,
	EXO_BOOT_ARGS = 2048
};

enum exo_manifest_flag {
	EXO_MF_WAIT = 1,     /* the next program starts when this one has ended */
	EXO_MF_CONSOLE = 2,  /* gets a console session of its own */
	EXO_MF_HALT = 4,     /* gets the machine capability */
	EXO_MF_SHARED = 8,   /* joins init's POSIX segment: same user, same file system */
	EXO_MF_SCREEN = 32,  /* gets the capability to the text screen's frames */
	EXO_MF_SHELL = 16,   /* boot arguments, when present, run here as sh -c TEXT; then halt */
	EXO_MF_TRACE = 64,   /* gets the capability to trace */
	EXO_MF_ATTEND = 128, /* reads the console as its operator: EXO_RIGHT_ATTEND */
};

struct exo_manifest_program {
	char path[64];	/* in the main file system */
	char args[128]; /* NUL-separated, after argv[0]; ends with an empty string */
	char name[16];
	uint64_t principal;
	struct exo_quota quota; /* with EXO_MANIFEST_PERCENT: 1..100 % of what init holds at boot */
	uint32_t slot_every,
		slot_first; /* CPU slots first, first+every, …; every 0: `quota.n[1]` anywhere */
	uint32_t flags;
	uint32_t extents;
	char extent[EXO_MANIFEST_CAPS]
		   [8]; /* names of extents it is given, in its capability slots 8.. */
	uint8_t extent_rights[EXO_MANIFEST_CAPS];
	uint8_t env; /* a program above that it gets a capability for, from 1; EXO_MANIFEST_INIT:
			init; 0: none */
	uint8_t env_rights; /* EXO_ENV_* */
	uint8_t reserved[6];
};
_Static_assert(sizeof(struct exo_manifest_program) == 64 + 128 + 16 + 8 + 32 + 16 + 64 + 8 + 8,
	       "program");

struct exo_manifest {
	uint64_t magic;
	uint32_t version; /* EXO_IMAGE_VERSION */
	uint32_t programs;
	uint32_t crc;	     /* of everything before boot_args, with crc = 0 */
	uint32_t verbose;    /* 1: the kernel's log goes to the console too */
	char main_extent[8]; /* the extent with the main file system */
	struct exo_manifest_program program[EXO_MANIFEST_PROGRAMS];
	char boot_args[EXO_BOOT_ARGS]; /* NUL-terminated; empty: none */
};

#endif
