/*
 * qemu.c - counts in QEMU: a plugin of its translator.
 *
 * Owns nothing but what it tells the translator to call.  Every instruction adds one to
 * stack_executed, inline and before it is executed, so that a fault in the middle of a block cuts
 * the count where it cuts the block; runs of instructions of one function, one site each, are
 * announced before their first. One virtual processor, so one thread.
 */
#include "qemu_plugin.h"
#include "control.h"
#include "stack.h"

#define EXPORTED __attribute__((visibility("default")))

EXPORTED int qemu_plugin_version = QEMU_PLUGIN_VERSION;
EXPORTED int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_plugin_info *info, int argc,
				 char **argv);

static const struct site *at; /* the last that was announced */

static void read_physical(uint64_t physical, void *to, size_t size)
{
	cpu_physical_memory_rw(physical, to, size, false);
}

static void reached(unsigned cpu, void *site)
{
	(void)cpu;
	at = site;
	stack_step(site);
}

/* QEMU 7.2 may still tell of an instruction that was left some time ago. */
static void accessed(unsigned cpu, uint32_t info, uint64_t va, void *data)
{
	const struct site *site = data;

	(void)cpu;
	if (site != at)
		return;
	if (qemu_plugin_mem_is_store(info))
		stack_stored(site->kind, va);
	else
		stack_loaded(site->kind, va);
}

static void watch_memory(struct qemu_plugin_insn *insn, struct site *site)
{
	if (site->kind != KIND_PLAIN)
		qemu_plugin_register_vcpu_mem_cb(insn, accessed, QEMU_PLUGIN_NO_REGISTERS,
						 QEMU_PLUGIN_ACCESSES, site);
}

static bool plain(const struct site *site)
{
	return site->kind == KIND_PLAIN && site->mark == MARK_NONE;
}

/* Must `now`, which follows `before` in its block, be announced? */
static bool begins(const struct site *before, const struct site *now)
{
	return before == NULL || before->function != now->function || !plain(now) || !plain(before);
}

/* Tells the translator what to do at one instruction. */
static void instrument(struct qemu_plugin_insn *insn, const struct site *before,
		       const struct site *now)
{
	if (begins(before, now)) {
		struct site *site =
			image_memory(1, sizeof(*site)); /* for ever: QEMU may execute it again */

		*site = *now;
		qemu_plugin_register_vcpu_insn_exec_cb(insn, reached, QEMU_PLUGIN_NO_REGISTERS,
						       site);
		watch_memory(insn, site);
	}
	qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_ADD, &stack_executed, 1);
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
	struct site sites[2];

	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(block, i);
		struct site *now = &sites[i & 1];

		site_find(now, qemu_plugin_insn_vaddr(insn), qemu_plugin_insn_data(insn),
			  qemu_plugin_insn_size(insn));
		instrument(insn, i > 0 ? &sites[~i & 1] : NULL, now);
	}
}

static void ended(qemu_plugin_id_t id, void *data)
{
	(void)id, (void)data;
	control_end();
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_plugin_info *info, int argc,
			char **argv)
{
	(void)info, (void)argc, (void)argv;
	control_start(read_physical);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, ended, NULL);
	return 0;
}
