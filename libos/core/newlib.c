/*
 * newlib.c - what newlib asks of the system below files: memory, exit, its state, its locks.
 *
 * Owns nothing but the order of start-up and exit.  With one thread the library's state is the
 * global one and its locks are free; threads bring what takes the place of that
 * (posix/pthread_newlib.c).  Called by newlib and, once, by core/start.c.
 */
#include <errno.h>
#include <reent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/lock.h>
#include <libos/start.h>
#include <libos/upcall.h>
#include <libos/vm.h>

extern char **environ;
int main(int argc, char **argv, char **envp);
void __libc_init_array(void);
void __libc_fini_array(void);
char *_user_strerror(int error, int internal, int *status);

__attribute__((weak)) struct _reent *__getreent(void)
{
	return _GLOBAL_REENT;
}

void *sbrk(ptrdiff_t incr)
{
	uint64_t old;

	/* An event's handler looks at regions, and another thread may change them. */
	upcall_defer();
	old = vm_sbrk(incr);
	upcall_undefer();
	if (old == (uint64_t)-1) {
		errno = ENOMEM;
		return (void *)-1;
	}
	return (void *)old;
}

/* Words for what newlib has none for.
 * NOLINTNEXTLINE(readability-non-const-parameter): the prototype is newlib's */
char *_user_strerror(int error, int internal, int *status)
{
	static char quota[] = "Quota exhausted";

	(void)internal, (void)status;
	return error == EDQUOT ? quota : NULL;
}

/* One thread always has a stream to itself. */
__attribute__((weak)) void flockfile(FILE *stream)
{
	(void)stream;
}

__attribute__((weak)) int ftrylockfile(FILE *stream)
{
	(void)stream;
	return 0;
}

__attribute__((weak)) void funlockfile(FILE *stream)
{
	(void)stream;
}

_Noreturn void _exit(int status)
{
	personality_exit(status);
	start_exit(status & 0xff);
}

_Noreturn void start_run(const struct start_args *args)
{
	environ = args->envp;
	personality_init(args);
	atexit(__libc_fini_array);
	__libc_init_array();
	exit(main((int)args->argc, args->argv, args->envp));
}
