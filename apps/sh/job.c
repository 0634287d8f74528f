/*
 * Processes the shell waits for, and those it does not: the list of background jobs, on the heap.
 * A job leaves the list when it was waited for or its end was told.
 */
#include "sh.h"

#include "tool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

struct job {
	struct job *next;
	int number;
	pid_t pid;
	char *text;
	bool done;
	int status;
};

static struct job *jobs;

static int status_of(int raw)
{
	return WIFSIGNALED(raw) ? STATUS_SIGNAL + WTERMSIG(raw) : WEXITSTATUS(raw);
}

void job_add(pid_t pid, const char *text)
{
	struct job *job = tool_alloc(sizeof(*job)), **end = &jobs;
	int number = 1;

	for (; *end; end = &(*end)->next)
		number = (*end)->number + 1;
	*job = (struct job){.number = number, .pid = pid, .text = tool_copy(text)};
	for (char *at = job->text; *at; at++)
		if (*at == '\n')
			*at = ' ';
	*end = job;
	if (shell.interactive)
		fprintf(stderr, "[%d] %ld\n", number, (long)pid);
}

static void drop(struct job **place)
{
	struct job *job = *place;

	*place = job->next;
	free(job->text);
	free(job);
}

int job_wait(pid_t pid)
{
	int raw;

	while (waitpid(pid, &raw, 0) < 0) {
		if (errno != EINTR) {
			shell_error("wait: %s", strerror(errno));
			return STATUS_NOT_FOUND;
		}
	}
	if (!WIFSIGNALED(raw))
		return status_of(raw);
	if (WTERMSIG(raw) == SIGINT && shell.interactive)
		shell.interrupted = true;
	else if (WTERMSIG(raw) != SIGPIPE)
		shell_error("process %ld: %s", (long)pid, strsignal(WTERMSIG(raw)));
	return status_of(raw);
}

static void poll_one(struct job *job)
{
	int raw;

	if (!job->done && waitpid(job->pid, &raw, WNOHANG) == job->pid) {
		job->done = true;
		job->status = status_of(raw);
	}
}

static void show(const struct job *job)
{
	if (!job->done)
		printf("[%d] running %s\n", job->number, job->text);
	else if (job->status)
		printf("[%d] exit %d %s\n", job->number, job->status, job->text);
	else
		printf("[%d] done %s\n", job->number, job->text);
}

void job_poll(void)
{
	struct job **place = &jobs;

	while (*place) {
		poll_one(*place);
		if ((*place)->done && shell.interactive) {
			show(*place);
			drop(place);
		} else {
			place = &(*place)->next;
		}
	}
	fflush(stdout);
}

int job_command(int argc, char **argv)
{
	struct job **place = &jobs;

	(void)argc;
	(void)argv;
	while (*place) {
		poll_one(*place);
		show(*place);
		if ((*place)->done)
			drop(place);
		else
			place = &(*place)->next;
	}
	return 0;
}

static struct job **find(const char *word)
{
	struct job **place = &jobs;
	const bool numbered = *word == '%';
	const long wanted = strtol(word + numbered, NULL, 10);

	while (*place && (numbered ? (*place)->number : (long)(*place)->pid) != wanted)
		place = &(*place)->next;
	return place;
}

pid_t job_pid(const char *word)
{
	const struct job *job = *word == '%' ? *find(word) : NULL;

	return job ? job->pid : 0;
}

/* Wait for a job and forget it. */
static int finish(struct job **place)
{
	const int status = (*place)->done ? (*place)->status : job_wait((*place)->pid);

	drop(place);
	return status;
}

int wait_command(int argc, char **argv)
{
	int status = 0;

	if (argc == 1)
		while (jobs)
			finish(&jobs);
	for (int i = 1; i < argc; i++) {
		struct job **place = find(argv[i]);

		if (*place) {
			status = finish(place);
		} else {
			shell_error("wait: %s: no such job", argv[i]);
			status = STATUS_NOT_FOUND;
		}
	}
	return status;
}
