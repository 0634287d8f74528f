/*
 * qemu_plugin.h - what we use of QEMU's plugin interface, version 1 (QEMU 7.2).
 *
 * Debian has no package with the original.  All functions are the emulator's; a translation block
 * is a run of instructions that it translates together, and calls back about.
 */
#ifndef PROFILE_QEMU_PLUGIN_H
#define PROFILE_QEMU_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { QEMU_PLUGIN_VERSION = 1 };
enum { QEMU_PLUGIN_NO_REGISTERS = 0 }; /* flags of callbacks */
enum { QEMU_PLUGIN_ACCESSES = 3 }; /* loads and stores: 7.2 mixes them up when asked for one kind */
enum { QEMU_PLUGIN_ADD = 0 };	   /* inline operations */

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_info;

typedef void qemu_plugin_translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block);
typedef void qemu_plugin_executed(unsigned cpu, void *data);
typedef void qemu_plugin_accessed(unsigned cpu, uint32_t info, uint64_t va, void *data);
typedef void qemu_plugin_ended(qemu_plugin_id_t id, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, qemu_plugin_translated *f);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, qemu_plugin_ended *f, void *data);

/* Before an instruction: call f; or add `value` to *counter, without a call. */
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, qemu_plugin_executed *f,
					    int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int operation,
						void *counter, uint64_t value);
/* After each access to memory that it makes and that does not fault. */
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, qemu_plugin_accessed *f,
				      int flags, int which, void *data);

bool qemu_plugin_mem_is_store(uint32_t info);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t i);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);

/*
 * No part of the plugin interface, but of what the emulator exports to its own modules: physical
 * memory.  Without it plugins see addresses alone, and programs share those.
 */
void cpu_physical_memory_rw(uint64_t physical, void *buffer, uint64_t size, bool write);

#endif
