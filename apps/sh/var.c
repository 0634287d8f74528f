/*
 * Variables and functions: two lists on the heap, owned here. The environment a program gets is
 * the exported variables.
 */
#include "sh.h"

#include "tool.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct var {
	struct var *next;
	char *name;
	char *value; /* NULL: exported but not set */
	bool exported;
};

static struct var *vars, *functions;

bool var_is_name(const char *text, size_t length)
{
	if (length == 0 || isdigit((unsigned char)*text))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '_')
			return false;
	return true;
}

size_t var_assignment(const char *word)
{
	const size_t length = strcspn(word, "=");

	return word[length] == '=' && var_is_name(word, length) ? length : 0;
}

static struct var **find(struct var **list, const char *name)
{
	while (*list && strcmp((*list)->name, name) != 0)
		list = &(*list)->next;
	return list;
}

static struct var *make(struct var **list, const char *name)
{
	struct var **place = find(list, name);

	if (!*place) {
		*place = tool_alloc(sizeof(**place));
		**place = (struct var){.name = tool_copy(name)};
	}
	return *place;
}

static void set(struct var *var, const char *value)
{
	char *copy = tool_copy(value);

	free(var->value);
	var->value = copy;
}

static void drop(struct var **place)
{
	struct var *var = *place;

	if (!var)
		return;
	*place = var->next;
	free(var->name);
	free(var->value);
	free(var);
}

const char *var_get(const char *name)
{
	const struct var *var = *find(&vars, name);

	return var ? var->value : NULL;
}

void var_set(const char *name, const char *value)
{
	set(make(&vars, name), value);
}

void var_export(const char *name)
{
	make(&vars, name)->exported = true;
}

bool var_exported(const char *name)
{
	const struct var *var = *find(&vars, name);

	return var && var->exported;
}

void var_unset(const char *name)
{
	drop(find(&vars, name));
}

char **var_environment(void)
{
	size_t count = 0;
	char **environment;

	for (const struct var *var = vars; var; var = var->next)
		count += var->exported && var->value;
	environment = mem_alloc((count + 1) * sizeof(*environment));
	count = 0;
	for (const struct var *var = vars; var; var = var->next) {
		struct text text = {0};

		if (!var->exported || !var->value)
			continue;
		text_put(&text, var->name);
		text_add(&text, '=');
		text_put(&text, var->value);
		environment[count++] = text.at;
	}
	return environment;
}

static void print_value(struct text *text, const struct var *var)
{
	text_put(text, var->name);
	text_add(text, '=');
	text_quote(text, var->value);
	text_add(text, '\n');
}

void var_print(struct text *text, bool all)
{
	for (const struct var *var = vars; var; var = var->next)
		if (var->value && (all || !var->exported))
			print_value(text, var);
	for (const struct var *f = functions; f; f = f->next) {
		text_put(text, f->name);
		text_put(text, "() ");
		text_put(text, f->value);
		text_add(text, '\n');
	}
}

void var_print_exported(struct text *text)
{
	for (const struct var *var = vars; var; var = var->next) {
		if (!var->exported || !var->value)
			continue;
		text_put(text, "export ");
		print_value(text, var);
	}
}

const char *function_get(const char *name)
{
	const struct var *var = *find(&functions, name);

	return var ? var->value : NULL;
}

void function_set(const char *name, const char *text)
{
	set(make(&functions, name), text);
}

void function_unset(const char *name)
{
	drop(find(&functions, name));
}
