/*
 * trace [-n FRAMES] [-o FILE] COMMAND [ARG]... - writes down what the machine does meanwhile.
 *
 * The kernel records into a ring of FRAMES page frames (256; a power of 2, at most 512) while the
 * command runs; every few milliseconds what is new in it is put aside in this program's memory.
 * When the command has ended all of it is written, to FILE or after the command's output; until
 * then the tool does not touch the disk.  The status is the command's, or 1 where the trace is not
 * whole on FILE.  scripts/timeline makes pictures of it.
 *
 * A trace is text, numbers in hexadecimal:
 *
 *   freehold-trace 1 build=B hz=H base=T      kernel, TSC ticks a second, TSC at time 0
 *   drive N BLOCKS MODEL
 *   env I NAME PRINCIPAL                      an environment that there was at the start, or
 *   late I NAME PRINCIPAL                     that there is at the end
 *   DT KIND ENV DETAIL A B                    a record (exo/trace.def): TSC since the one before,
 *                                             then its fields; zeros at the end are left out
 *   lost N                                    so many records are missing here
 *   end RECORDS LOST
 */
#include "tool.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <libos/tables.h>
#include <libos/trace.h>

enum {
	PAUSE_US = 5000,
	CHUNK = 4096, /* records put aside in one piece */
	NAME = 16,
	ENVS_LINE = 80,
};

static const char usage[] = "trace [-n FRAMES] [-o FILE] COMMAND [ARG]...";

/* What was put aside, in pieces. */
struct chunk {
	struct chunk *next;
	size_t count;
	struct exo_trace record[CHUNK];
};

static struct chunk *chunks, **last_chunk = &chunks;
static struct trace_reader reader;
static uint64_t first; /* number of the first record */

/* ---- recording --------------------------------------------------------------------------- */

/* The piece that has room for one more; NULL: no memory is left. */
static struct chunk *room(void)
{
	struct chunk *c = *last_chunk;

	if (c && c->count < CHUNK)
		return c;
	if (c)
		last_chunk = &c->next;
	c = malloc(sizeof(*c));
	if (c) {
		c->next = NULL;
		c->count = 0;
		*last_chunk = c;
	}
	return c;
}

/* Puts aside what is in the ring now; what comes meanwhile waits for the next time. */
static void drain(void)
{
	const uint64_t until = tables_tracing(0)->last;
	struct exo_trace t;

	while (reader.next <= until && trace_next(&reader, &t)) {
		struct chunk *c = room();

		if (c) /* else it is missing from what is written, and told as lost */
			c->record[c->count++] = t;
	}
}

static int record_until(pid_t pid)
{
	int raw = 0;
	pid_t ended;

	while ((ended = waitpid(pid, &raw, WNOHANG)) == 0) {
		usleep(PAUSE_US);
		drain();
	}
	drain();
	if (ended < 0)
		return tool_warn_errno("waitpid");
	return WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
}

/* ---- writing ----------------------------------------------------------------------------- */

/* A name out of a table, as one word. */
static const char *word(const volatile char *from, size_t size, char out[NAME + 1])
{
	size_t n = 0;

	while (n < size && n < NAME && from[n]) {
		out[n] = from[n] > ' ' && from[n] < 127 ? from[n] : '_';
		n++;
	}
	out[n] = 0;
	return n ? out : "-";
}

static void write_head(FILE *out)
{
	const volatile struct exo_info *info = tables_info();
	char name[NAME + 1];

	fprintf(out, "freehold-trace 1 build=%" PRIx64 " hz=%" PRIx64 " base=%" PRIx64 "\n",
		tables_tracing(0)->build, info->tsc_hz, info->tsc_base);
	for (uint32_t d = 0; d < EXO_NDRIVE; d++)
		if (tables_drive(d)->blocks)
			fprintf(out, "drive %" PRIx32 " %" PRIx64 " %s\n", d,
				tables_drive(d)->blocks, word(tables_drive(d)->model, NAME, name));
}

/* The environments there are, as lines in new memory. */
static char *list_envs(const char *when)
{
	const uint32_t envs = tables_info()->envs;
	char *text = tool_alloc((size_t)envs * ENVS_LINE + 1), *at = text;
	char name[NAME + 1];

	*at = 0;
	for (uint32_t i = 1; i < envs; i++) {
		const volatile struct exo_env *e = tables_env(i);

		if (e->state != EXO_ENV_FREE)
			at += sprintf(at, "%s %" PRIx32 " %s %" PRIx64 "\n", when, i,
				      word(e->name, sizeof(e->name), name), e->principal);
	}
	return text;
}

static void write_record(FILE *out, const struct exo_trace *t, uint64_t before)
{
	const uint64_t field[] = {t->kind, t->env, t->detail, t->a, t->b};
	size_t n = sizeof(field) / sizeof(field[0]);

	while (n > 1 && field[n - 1] == 0)
		n--;
	fprintf(out, "%" PRIx64, t->tsc - before);
	for (size_t i = 0; i < n; i++)
		fprintf(out, " %" PRIx64, field[i]);
	fputc('\n', out);
}

/* Records from number `from` to before `to` are missing; how many. */
static uint64_t write_lost(FILE *out, uint64_t from, uint64_t to)
{
	if (from < to)
		fprintf(out, "lost %" PRIx64 "\n", to - from);
	return to - from;
}

static void write_records(FILE *out)
{
	uint64_t written = 0, lost = 0, before = 0, next = first;

	for (const struct chunk *c = chunks; c; c = c->next)
		for (size_t i = 0; i < c->count; i++) {
			const struct exo_trace *t = &c->record[i];

			lost += write_lost(out, next, t->number);
			write_record(out, t, before);
			before = t->tsc;
			next = t->number + 1;
			written++;
		}
	lost += write_lost(out, next, reader.next);
	fprintf(out, "end %" PRIx64 " %" PRIx64 "\n", written, lost);
}

static void write_trace(FILE *out, const char *at_start, const char *at_end)
{
	write_head(out);
	fputs(at_start, out);
	fputs(at_end, out);
	write_records(out);
}

/* ---- the command ------------------------------------------------------------------------- */

static int run(char **argv)
{
	const pid_t pid = tool_start(argv);
	const bool missing = errno == ENOENT;

	if (pid > 0)
		return record_until(pid);
	tool_warn_errno(argv[0]);
	return missing ? 127 : 126;
}

static _Noreturn void refused(int error)
{
	switch (error) {
	case -EACCES:
		tool_die(TOOL_FAIL, "no right to trace (the word `trace` in the boot manifest)");
	case -EBUSY:
		tool_die(TOOL_FAIL, "somebody traces already");
	case -EINVAL:
		tool_die(TOOL_USAGE, "-n: a power of 2, at most 512");
	default:
		tool_die(TOOL_FAIL, "no ring: %s", strerror(-error));
	}
}

/* The file, opened before anything runs, so that a mistake costs nothing; NULL: standard output. */
static FILE *open_file(const char *path)
{
	FILE *file = path ? fopen(path, "w") : NULL;

	if (path && !file)
		exit(tool_warn_errno(path));
	return file;
}

/* Everything is written, or a message says why not. */
static int closed(FILE *file, const char *path)
{
	const bool bad = fflush(file) != 0 || ferror(file) != 0;

	if (bad)
		tool_warn_errno(path);
	fclose(file);
	return bad ? TOOL_FAIL : TOOL_OK;
}

int main(int argc, char **argv)
{
	unsigned long long frames = 256;
	const char *path = NULL;
	char *at_start, *at_end;
	int option, status, error;
	FILE *file;

	tool_init(argv);
	while ((option = tool_option(argc, argv, "+n:o:", usage)) != -1) {
		if (option == 'n')
			frames = tool_number(optarg);
		else
			path = optarg;
	}
	if (optind == argc)
		tool_usage(usage);
	file = open_file(path);
	at_start = list_envs("env");
	error = trace_begin(frames > 512 ? 0 : (uint32_t)frames, &reader);
	if (error)
		refused(error);
	first = reader.next;
	status = run(argv + optind);
	trace_end();
	at_end = list_envs("late");
	write_trace(file ? file : stdout, at_start, at_end);
	free(at_start);
	free(at_end);
	if (file && closed(file, path) != TOOL_OK)
		return tool_done(TOOL_FAIL);
	return tool_done(status);
}
