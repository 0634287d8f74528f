/*
 * bpf_model.h - the slow, obvious interpreter of RFC 9669: everything is checked as it is done.
 *
 * Shares no code with exo/kern.  Tests ask it whether what the verifier accepted does nothing
 * wrong, and exo-bpf runs in it what the kernel would not run.
 */
#ifndef HOST_BPF_MODEL_H
#define HOST_BPF_MODEL_H

#include <exo/bpf.h>

struct bpf_model {
	const struct exo_bpf_insn *insn;
	uint32_t count;
	uint8_t *context;
	uint32_t context_size;
	uint32_t limit; /* steps after which it is stopped */
	/*
	 * 1: as the kernel promises: 512 bytes of stack, a context that is only read, nothing used
	 * that was not written, no address used as a number.  0: the context can be written,
	 * what was not written is zero, a program may call its own functions, eight deep.
	 */
	int strict;
	uint64_t context_at, stack_at; /* the addresses that the program sees */
	/* What came of it. */
	const char *fault; /* NULL: it came to its exit */
	uint32_t pc;
	uint32_t steps;
	uint64_t r0;
};

void bpf_model_run(struct bpf_model *m);

#endif
