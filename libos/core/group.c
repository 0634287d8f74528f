/*
 * group.c - scheduling groups, as programs use them.
 *
 * Owns nothing: what a group is stands in the kernel's tables.  Called by programs.
 */
#include <errno.h>
#include <string.h>
#include <libos/bpf.h>
#include <libos/call.h>
#include <libos/group.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/time.h>
#include "words.h"

_Static_assert((int)GROUP_MEMBERS == (int)EXO_SCHED_MEMBERS &&
		       (int)GROUP_WORDS == (int)EXO_SCHED_WORDS,
	       "the kernel's numbers");

static uint32_t self(void)
{
	return EXO_EID_INDEX((struct eid){start_self()});
}

static int is_own(uint32_t group)
{
	return group > 0 && group < EXO_NGROUP && tables_group(group)->owner == self();
}

int group_make(uint32_t patience)
{
	for (uint32_t g = 1; g < EXO_NGROUP; g++) {
		struct exo_result r;

		if (tables_group(g)->owner)
			continue;
		r = call_group_take(g, patience);
		if (r.status == EXO_OK)
			return (int)g;
		if (r.status != EXO_OCCUPIED)
			return r.status == EXO_QUOTA ? -EDQUOT : call_errno(r.status);
	}
	return -ENFILE;
}

int group_end(uint32_t group)
{
	const struct slots its = group_slots(group);
	const int error = is_own(group) ? group_withdraw(group, &its) : -EACCES;

	return error ? error : call_result(call_group_free(group));
}

/* ---- its program ---------------------------------------------------------------------------- */

/* Until it is the caller's turn to load. */
static int begin(uint32_t group)
{
	for (;;) {
		const struct exo_result r = call_bpf_begin(group);

		if (r.status != EXO_OK)
			return r.status == EXO_PERM ? -EACCES : call_errno(r.status);
		if (r.value)
			return 0;
		(void)time_sleep_until(time_now() + tables_info()->tick_ns, 0);
	}
}

/* The instructions go by way of the stack, which is there; the caller's memory may not be yet. */
static uint64_t put(const uint8_t *insns, uint32_t count)
{
	struct exo_bpf_insn part[EXO_BPF_PUT];
	uint64_t status = EXO_OK;

	for (uint32_t at = 0, n; at < count && status == EXO_OK; at += n) {
		n = count - at < EXO_BPF_PUT ? count - at : EXO_BPF_PUT;
		memcpy(part, insns + at * sizeof(part[0]), n * sizeof(part[0]));
		status = call_bpf_put((uint64_t)(uintptr_t)part, n).status;
	}
	return status;
}

static struct exo_result verify(void)
{
	struct exo_result r;

	do
		r = call_bpf_verify();
	while (r.status == EXO_OK && EXO_BPF_ANSWER_REASON(r.value) == EXO_BPF_MORE);
	return r;
}

/* What the verifier answered. */
static int verdict(uint64_t answer, const struct words *why)
{
	const uint32_t reason = EXO_BPF_ANSWER_REASON(answer);

	words_begin(why);
	if (reason == EXO_BPF_OK)
		return 0;
	if (reason == EXO_BPF_BUDGET) {
		words_number(why, EXO_BPF_ANSWER_STEPS(answer));
		words_add(why, " steps, more than ");
		words_number(why, EXO_GROUP_STEPS);
		words_add(why, ": ");
	} else if (reason != EXO_BPF_LENGTH) {
		words_add(why, "instruction ");
		words_number(why, EXO_BPF_ANSWER_AT(answer));
		words_add(why, ": ");
	}
	words_add(why, exo_bpf_reason_text(reason));
	return -ENOEXEC;
}

int group_load(uint32_t group, const void *insns, uint32_t count, char why[GROUP_WHY])
{
	const struct words words = words_in(why, GROUP_WHY);
	struct exo_result r;

	if (count == 0 || count > EXO_BPF_MAX_INSNS)
		return verdict(EXO_BPF_LENGTH, &words);
	do { /* whoever is too slow loses its turn, and begins anew */
		const int error = begin(group);

		if (error) {
			words_begin(&words);
			words_add(&words, "the group is somebody else's, or none");
			return error;
		}
		r.status = put(insns, count);
		if (r.status == EXO_OK)
			r = verify();
	} while (r.status == EXO_STATE);
	return r.status == EXO_OK ? verdict(r.value, &words) : call_errno(r.status);
}

int group_load_object(uint32_t group, const void *object, size_t size, const char *section,
		      char why[GROUP_WHY])
{
	struct bpf_found found;
	const int error = bpf_find(object, size, section, &found, why);

	_Static_assert((int)GROUP_WHY >= (int)BPF_WHY, "its words have room");
	if (error)
		return error;
	return group_load(group, (const uint8_t *)object + found.offset, found.count, why);
}

/* ---- its members ---------------------------------------------------------------------------- */

int group_add(uint32_t group, uint32_t cap)
{
	if (!is_own(group))
		return -EACCES;
	for (uint32_t place = 0; place < EXO_SCHED_MEMBERS; place++) {
		struct exo_result r;

		if (tables_sched(group)->member[place].env)
			continue;
		r = call_group_join(group, place, cap);
		if (r.status == EXO_OK)
			return (int)place;
		if (r.status != EXO_OCCUPIED)
			return call_errno(r.status);
	}
	return -ENFILE;
}

int group_remove(uint32_t group, uint32_t place)
{
	return call_result(call_group_leave(group, place));
}

int group_word(uint32_t group, uint32_t place, uint32_t word, uint64_t value)
{
	return call_result(call_group_word(group, place, word, value));
}

uint32_t group_of(uint32_t index, uint32_t *place)
{
	*place = tables_env(index)->place;
	return tables_env(index)->group;
}

/* ---- its slots ------------------------------------------------------------------------------ */

struct slots group_slots(uint32_t group)
{
	struct slots s = {{0}};

	for (uint32_t n = 0; group && n < SLOTS; n++)
		if (tables_slot(n)->group == group)
			slots_add(&s, n);
	return s;
}

/* Slots of the caller are group `to`'s, 0 being the caller's own; all or none. */
static int hand(const struct slots *s, uint32_t to)
{
	const struct slots mine = slots_of(self()), others = slots_without(s, &mine);

	if (slots_count(&others))
		return -EACCES;
	for (uint32_t n = 0; n < SLOTS; n++) {
		const int error = slots_has(s, n) ? call_result(call_slot_group(n, to)) : 0;

		if (error)
			return error;
	}
	return 0;
}

int group_give(uint32_t group, const struct slots *s)
{
	return is_own(group) ? hand(s, group) : -EACCES;
}

int group_withdraw(uint32_t group, const struct slots *s)
{
	return is_own(group) ? hand(s, 0) : -EACCES;
}

/* ---- what came of it ------------------------------------------------------------------------ */

int group_counts(uint32_t group, struct group_counts *out)
{
	const volatile struct exo_group *const g = tables_group(group);

	if (group == 0 || group >= EXO_NGROUP || !g->owner)
		return -EINVAL;
	*out = (struct group_counts){.slots = g->slots,
				     .insns = g->insns,
				     .bound = g->bound,
				     .most = g->most,
				     .decisions = g->decisions,
				     .followed = g->followed,
				     .passed = g->passed,
				     .lost = g->lost};
	for (uint32_t i = EXO_GROUP_FOLLOWED + 1; i < EXO_NGROUP_FAULT; i++)
		out->failed += g->failed[i];
	for (uint32_t place = 0; place < EXO_SCHED_MEMBERS; place++)
		out->members += tables_sched(group)->member[place].env != 0;
	return 0;
}

int group_member(uint32_t group, uint32_t place, struct group_member *out)
{
	const volatile struct exo_sched_member *m;

	if (group == 0 || group >= EXO_NGROUP || place >= EXO_SCHED_MEMBERS)
		return -EINVAL;
	m = &tables_sched(group)->member[place];
	*out = (struct group_member){.env = m->env, .used = m->used, .missed = m->missed};
	for (uint32_t i = 0; i < EXO_SCHED_WORDS; i++)
		out->word[i] = m->word[i];
	return 0;
}

void group_failure(uint32_t group, char why[GROUP_WHY])
{
	static const char *const what[EXO_NGROUP_FAULT] = {
		[EXO_GROUP_NONSENSE] = " was named, which is no place",
		[EXO_GROUP_EMPTY] = " was named, a place that nobody has",
		[EXO_GROUP_ASLEEP] = " was named, and could not run",
		[EXO_GROUP_STARVED] = " could run and was not named for too long",
		[EXO_GROUP_OWNER] = " asked nobody: the owner has ended",
	};
	const struct words words = words_in(why, GROUP_WHY);
	const volatile struct exo_group *const g = tables_group(group < EXO_NGROUP ? group : 0);
	const uint32_t fault = g->fault;

	words_begin(&words);
	if (fault == EXO_GROUP_FOLLOWED || fault >= EXO_NGROUP_FAULT || !what[fault])
		return;
	words_add(&words, "in slot ");
	words_number(&words, g->tick);
	words_add(&words,
		  fault == EXO_GROUP_STARVED ? " of the machine, member " : " of the machine, ");
	words_number(&words, g->answer);
	words_add(&words, what[fault]);
	if (g->lost && !g->insns)
		words_add(&words, "; the program was taken from the group");
}
