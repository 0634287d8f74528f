/*
 * Commands that are both a program of their own and part of the shell, so written once.
 * Each takes an argument vector as main does (argv[0] is the name), uses stdin, stdout and stderr,
 * and returns the exit status; none of them exits. No state, no lock.
 * Callers: apps/<name>/<name>.c and the shell's table of built-in commands.
 */
#ifndef COMMAND_H
#define COMMAND_H

int command_echo(int argc, char **argv);

/* test and [: 0 true, 1 false, 2 when the expression is malformed. */
int command_test(int argc, char **argv);

int command_kill(int argc, char **argv);

/* Give and lend work on children of the process, so mostly for the shell. */
int command_slots(int argc, char **argv);

int command_pwd(int argc, char **argv);

#endif
