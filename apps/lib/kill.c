/*
 * kill [-SIGNAL] PID...: send a signal; kill -l lists the names. The table gives names to numbers.
 * Stateless. Called by the program kill and by the shell.
 */
#include "command.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	int number;
	const char *name;
} signals[] = {
	{SIGHUP, "HUP"},   {SIGINT, "INT"},   {SIGQUIT, "QUIT"}, {SIGILL, "ILL"},
	{SIGABRT, "ABRT"}, {SIGBUS, "BUS"},   {SIGFPE, "FPE"},	 {SIGKILL, "KILL"},
	{SIGSEGV, "SEGV"}, {SIGPIPE, "PIPE"}, {SIGALRM, "ALRM"}, {SIGTERM, "TERM"},
	{SIGCHLD, "CHLD"}, {SIGCONT, "CONT"}, {SIGSTOP, "STOP"}, {SIGTSTP, "TSTP"},
	{SIGUSR1, "USR1"}, {SIGUSR2, "USR2"},
};

enum { SIGNALS = sizeof(signals) / sizeof(signals[0]) };

/* The number that `text` names (9, KILL, SIGKILL), or -1. */
static int signal_number(const char *text)
{
	char *end;
	const long number = strtol(text, &end, 10);

	if (*text && !*end)
		return number >= 0 && number < 64 ? (int)number : -1;
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (int i = 0; i < SIGNALS; i++)
		if (strcasecmp(text, signals[i].name) == 0)
			return signals[i].number;
	return -1;
}

static int list(void)
{
	for (int i = 0; i < SIGNALS; i++)
		printf("%d %s\n", signals[i].number, signals[i].name);
	return 0;
}

static int usage(void)
{
	fprintf(stderr, "kill: usage: kill [-SIGNAL | -s SIGNAL] PID... | -l\n");
	return 2;
}

/* Send `number` to the process that `word` names. Returns the status. */
static int send(int number, const char *word)
{
	char *end;
	const long pid = strtol(word, &end, 10);

	if (!*word || *end) {
		fprintf(stderr, "kill: %s: not a process id\n", word);
		return 2;
	}
	if (kill((pid_t)pid, number) == 0)
		return 0;
	fprintf(stderr, "kill: %s: %s\n", word, strerror(errno));
	return 1;
}

int command_kill(int argc, char **argv)
{
	const char *name = "TERM";
	int first = 1, number, worst = 0;

	if (argc > 1 && !strcmp(argv[1], "-l"))
		return list();
	if (argc > 2 && !strcmp(argv[1], "-s")) {
		name = argv[2];
		first = 3;
	} else if (argc > 1 && argv[1][0] == '-' && strcmp(argv[1], "--") != 0) {
		name = argv[1] + 1;
		first = 2;
	}
	if (first < argc && !strcmp(argv[first], "--"))
		first++;
	if (first >= argc)
		return usage();
	number = signal_number(name);
	if (number < 0) {
		fprintf(stderr, "kill: %s: no such signal\n", name);
		return 2;
	}
	for (; first < argc; first++) {
		const int status = send(number, argv[first]);

		if (status > worst)
			worst = status;
	}
	return worst;
}
