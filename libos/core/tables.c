/*
 * tables.c - finding things in the kernel's tables.  Owns nothing.
 */
#include <string.h>
#include <libos/tables.h>

/* The kernel pads names with zeros, and one of full length has none. */
static int is_called(const volatile struct exo_env *env, const char *name, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (env->name[i] != name[i])
			return 0;
	return length == sizeof env->name || env->name[length] == 0;
}

uint64_t tables_find(const char *name)
{
	const size_t length = strnlen(name, sizeof tables_env(0)->name);

	for (uint32_t e = 1; e < tables_info()->envs; e++) {
		const volatile struct exo_env *env = tables_env(e);

		if (env->state != EXO_ENV_FREE && env->state != EXO_ENV_ZOMBIE &&
		    is_called(env, name, length))
			return (uint64_t)env->gen << 16 | e;
	}
	return 0;
}
