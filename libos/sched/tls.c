/*
 * tls.c - thread-local variables (__thread): a copy of the program's PT_TLS for each thread.
 *
 * Owns their layout: the block ends where fs points, and the word there points to itself, as the
 * x86-64 ABI says.  The base is loaded by wrfsbase, so a program that has such variables needs a
 * processor with FSGSBASE; others never come to that.  Lock: none, written before main.
 * Called by thread.c and wait.c.
 */
#include <string.h>
#include <libos/sched.h>
#include <libos/start.h>
#include <libos/vm.h>

enum { PT_TLS = 7, WORD = 8 };

struct elf_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_segment {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

extern const struct elf_header __ehdr_start __attribute__((visibility("hidden")));

static const struct elf_segment *image;
uint64_t thread_tls_size;

static void find_image(void)
{
	const struct elf_segment *at =
		(const void *)((const char *)&__ehdr_start + __ehdr_start.phoff);

	for (uint32_t i = 0; i < __ehdr_start.phnum; i++)
		if (at[i].type == PT_TLS && at[i].memsz)
			image = &at[i];
	if (image)
		thread_tls_size = (image->memsz + image->align - 1) & ~(image->align - 1);
}

uint64_t thread_tls_room(void)
{
	return image ? thread_tls_size + image->align + 2 * WORD : 0;
}

uint64_t thread_tls_make(uint64_t top)
{
	uint64_t base;

	if (!image)
		return 0;
	base = (top - WORD) & ~((image->align > WORD ? image->align : WORD) - 1);
	memset((void *)(base - thread_tls_size), 0, thread_tls_size);
	memcpy((void *)(base - thread_tls_size), (const void *)image->vaddr, image->filesz);
	*(uint64_t *)base = base;
	return base;
}

/* Where the first thread's block ends: in the program's own memory, if it is small. */
static uint64_t first_room(uint64_t size)
{
	static _Alignas(64) char block[1024];
	uint64_t low;

	if (size <= sizeof(block))
		return (uint64_t)(uintptr_t)(block + sizeof(block));
	if (vm_reserve(0, size, VM_READ | VM_WRITE, VM_ANON, &low) || vm_keep(low, size))
		start_die("no memory for its thread-local variables", START_EXIT_ABI);
	return low + size;
}

/* Before main and other constructors. */
__attribute__((constructor(101))) static void first_block(void)
{
	find_image();
	if (!image)
		return;
	thread_first.tls = thread_tls_make(first_room(thread_tls_room()));
	thread_tls_load(thread_first.tls);
}
