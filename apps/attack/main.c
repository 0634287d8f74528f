/*
 * main.c - runs the attacks and keeps the score.  usage: attack [group ...]
 */
#include <libos/console.h>
#include <libos/start.h>
#include <string.h>
#include "attack.h"

int main(int argc, char **argv);

static uint32_t contained, succeeded;

void score(const char *name, int ok)
{
	console_print(ok ? "ok attack " : "FAIL attack ");
	console_print(name);
	console_print("\n");
	contained += ok != 0;
	succeeded += ok == 0;
}

static void say_status(const char *name, struct exo_result r)
{
	console_print("  ");
	console_print(name);
	console_print(" answered ");
	console_print(call_status_name(r.status));
	console_print("\n");
}

void refused(const char *name, struct exo_result r)
{
	score(name, r.status != EXO_OK && r.value == 0);
}

void answered(const char *name, struct exo_result r, enum exo_status status)
{
	if (r.status != status)
		say_status(name, r);
	score(name, r.status == status);
}

void unprepared(const char *name)
{
	console_print("  could not be tried: ");
	score(name, 0);
}

uint32_t self_index(void)
{
	return EXO_EID_INDEX((struct eid){start_self()});
}

const struct exo_env *env_at(uint32_t e)
{
	return (const struct exo_env *)table_of(EXO_TABLE_ENVS) + e;
}

const struct exo_page *page_at(uint32_t f)
{
	return (const struct exo_page *)table_of(EXO_TABLE_PAGES) + f;
}

uint32_t find_frame(enum exo_page_state state, int own)
{
	for (uint32_t f = 1; f < tables()->frames; f++) {
		const struct exo_page *p = page_at(f);

		if (p->state == state && (p->owner == self_index()) == own)
			return f;
	}
	return 0;
}

uint32_t find_victim(void)
{
	for (uint32_t e = 1; e < tables()->envs; e++)
		if (e != self_index() && env_at(e)->state >= EXO_ENV_RUNNABLE &&
		    env_at(e)->state != EXO_ENV_ZOMBIE)
			return e;
	return 0;
}

uint32_t find_free_env(void)
{
	for (uint32_t e = 1; e < tables()->envs; e++)
		if (env_at(e)->state == EXO_ENV_FREE)
			return e;
	return 0;
}

static const struct group {
	const char *name;
	void (*run)(void);
} groups[] = {
	{"calls", attack_calls}, {"envs", attack_envs}, {"pages", attack_pages},
	{"disk", attack_disk},	 {"cpu", attack_cpu},	{"tables", attack_tables},
};

int main(int argc, char **argv)
{
	for (uint32_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
		int wanted = argc < 2;

		for (int a = 1; a < argc; a++)
			wanted |= strcmp(argv[a], groups[i].name) == 0;
		if (wanted)
			groups[i].run();
	}
	console_print("attack: ");
	console_dec(contained);
	console_print(" contained, ");
	console_dec(succeeded);
	console_print(" succeeded\n");
	return succeeded != 0 || contained == 0;
}
