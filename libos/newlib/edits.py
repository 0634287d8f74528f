#!/usr/bin/python3
"""Changes newlib's unpacked sources for Freehold: edits.py NEWLIB-DIR

One table of edits, each with its reason.  An edit whose text is not found exactly as often as it
says stops the build, so another release of newlib cannot be half edited.  Called by build.sh.
"""
import re
import sys

FEATURES = """\
#if defined(__x86_64__)
#define _POSIX_TIMERS 1
#define _POSIX_MONOTONIC_CLOCK 200112L
#define _POSIX_THREADS 1
#define _UNIX98_THREAD_MUTEX_ATTRIBUTES 1
#define _POSIX_READER_WRITER_LOCKS 200112L
#define _POSIX_BARRIERS 200112L
#define _POSIX_SEMAPHORES 200112L
#define _POSIX_TIMEOUTS 200112L
#define _POSIX_SPIN_LOCKS 200112L
#define _POSIX_CLOCK_SELECTION 200112L
#define _POSIX_THREAD_SAFE_FUNCTIONS 200112L
#define _POSIX_THREAD_ATTR_STACKADDR 200112L
#define _POSIX_THREAD_ATTR_STACKSIZE 200112L
#define _POSIX_PRIORITY_SCHEDULING 0
#define _POSIX_THREAD_PRIORITY_SCHEDULING 0
#define _POSIX_THREAD_PRIO_INHERIT 0
#define _POSIX_THREAD_PRIO_PROTECT -1
#define _POSIX_THREAD_ROBUST_PRIO_INHERIT -1
#define _POSIX_THREAD_PROCESS_SHARED -1
#define _POSIX_REALTIME_SIGNALS 200112L
#define _POSIX_FSYNC 1
#define _POSIX_MAPPED_FILES 1
#define _POSIX_JOB_CONTROL 1
#define _POSIX_SAVED_IDS 1
#endif
"""

CONFIG = """\
#if defined(__x86_64__)
#define __DYNAMIC_REENT__
#define _READ_WRITE_RETURN_TYPE _ssize_t
#define _READ_WRITE_BUFSIZE_TYPE __size_t
#endif
"""

# What newlib 3.3 does not know of yet, or declares for RTEMS alone.
PTHREAD = """\
int	pthread_mutexattr_setrobust (pthread_mutexattr_t *__attr, int __robust);
int	pthread_mutexattr_getrobust (const pthread_mutexattr_t *__restrict __attr, int *__restrict __robust);
int	pthread_mutex_consistent (pthread_mutex_t *__mutex);
#if __GNU_VISIBLE
int	pthread_getattr_np (pthread_t __id, pthread_attr_t *__attr);
int	pthread_tryjoin_np (pthread_t __id, void **__value_ptr);
int	pthread_timedjoin_np (pthread_t __id, void **__value_ptr, const struct timespec *__abstime);
#endif

"""

SIGNALS = """\
#if __POSIX_VISIBLE >= 200809
void psiginfo (const siginfo_t *, const char *);
#endif
#if __BSD_VISIBLE || __XSI_VISIBLE >= 4
#define SIG_HOLD ((_sig_func_ptr)2)
_sig_func_ptr sigset (int, _sig_func_ptr);
int sighold (int);
int sigrelse (int);
int sigignore (int);
int siginterrupt (int, int);
#endif

"""

LIMITS = """\
#define PTHREAD_DESTRUCTOR_ITERATIONS 4
#define PTHREAD_KEYS_MAX 128
#define PTHREAD_STACK_MIN 8192
#define SEM_VALUE_MAX 0x7fffffff

"""

# What the libOS defines itself is left out of libc (-D_NO_...), lest a link finds the wrong one.
HOST = """\
  x86_64-*-elf*)
\tposix_dir=posix
\tunix_dir=unix
\thave_init_fini=no
\tnewlib_cflags="${newlib_cflags} -D_POSIX_MODE -DGETREENT_PROVIDED -DHAVE_RENAME -DHAVE_FCNTL"
\tnewlib_cflags="${newlib_cflags} -DHAVE_BLKSIZE -DHAVE_NANOSLEEP -D_NO_GETPWENT -D_NO_GETUT"
\tnewlib_cflags="${newlib_cflags} -D_NO_GETLOGIN -D_NO_GETPASS -D_NO_GETCWD -D_NO_PREAD"
\tnewlib_cflags="${newlib_cflags} -D_NO_PWRITE -D_NO_POPEN -D_NO_POSIX_SPAWN -D_NO_EXECVE"
\t;;
"""

SIGACTION = """\
#define SA_RESTART   0x8
#define SA_NODEFER   0x10
#define SA_RESETHAND 0x20
#define SA_NOCLDWAIT 0x40

#define SI_KERNEL   -1
#define ILL_ILLOPC   1
#define FPE_INTDIV   1
#define SEGV_MAPERR  1
#define SEGV_ACCERR  2
#define BUS_ADRERR   2
#define TRAP_BRKPT   1
#define CLD_EXITED   1
#define CLD_KILLED   2
#define CLD_DUMPED   3
#define CLD_STOPPED  5
#define CLD_CONTINUED 6
"""

SIGINFO = r"\1  void        *si_addr;\n  pid_t        si_pid;\n  uid_t        si_uid;\n  int          si_status;\n"

ALIAS = '\nssize_t {0} ({1}) __attribute__ ((weak, alias ("__{0}")));\n'

# A va_list parameter is a pointer on this machine, so its address is not a va_list *, which is what
# positional arguments (%2$s) take: they crashed.  A local copy has the right type.
VA_LIST = r"(\n(?:_VFPRINTF_R|_VFWPRINTF_R|__SVFSCANF_R|__SVFWSCANF_R) \(struct _reent \*\w+,.*?)va_list ap\)\n\{"
VA_COPY = r"\1va_list ap0)\n{\n  va_list ap; va_copy (ap, ap0);"

# (file, pattern, replacement, how often, why)
EDITS = [
    ("libc/include/sys/config.h", r"^(?=#ifdef __AMDGCN__)", CONFIG, 1,
     "errno and stdio's state through the libOS's __getreent(); read and write return ssize_t"),
    ("libc/include/sys/features.h", r"^(?=#ifdef __svr4__)", FEATURES, 1,
     "advertise what the libOS gives"),
    ("configure.host", r"^(?=  h8300-\*-elf\*\))", HOST.replace("\\", r"\\"), 1,
     "directories, regex, glob and errno from libm; no _init and _fini"),
    ("libc/machine/x86_64/setjmp.S", r"^  movq +rsi, rax.*$",
     "  movl    esi, eax\n  testl   eax, eax\n  jne     1f\n  incl    eax\n1:", 1,
     "longjmp(buf, 0) made setjmp return 0"),
    ("libc/include/sys/stat.h", r"^#if defined \(__SPU__\).*$", "#if 1", 1,
     "declare lstat and mknod"),
    ("libc/include/sys/stat.h", r"^(?=#if __ATFILE_VISIBLE && )", "#define UTIME_NOW  (-2L)\n#define UTIME_OMIT (-1L)\n", 1,
     "name what utimensat understands"),
    ("libc/include/stdio.h", r"^ssize_t __getline \(.*$",
     r"\g<0>\nssize_t getdelim (char **, size_t *, int, FILE *);\nssize_t getline (char **, size_t *, FILE *);",
     1, "declare getline and getdelim,"),
    ("libc/stdio/getline.c", r"\Z", ALIAS.format("getline", "char **, size_t *, FILE *"), 1, "and define them"),
    ("libc/stdio/getdelim.c", r"\Z", ALIAS.format("getdelim", "char **, size_t *, int, FILE *"), 1, "and define them"),
    ("libc/include/machine/setjmp.h",
     r"^#if \(defined\(__CYGWIN__\) \|\| defined\(__rtems__\)\) && __POSIX_VISIBLE", "#if __POSIX_VISIBLE", 1,
     "declare sigsetjmp and siglongjmp"),
    ("libc/include/machine/setjmp.h", r"sigjmp_buf \*_sjbuf = &\(env\);", "sigjmp_buf *_sjbuf = (sigjmp_buf *)(env);", 2,
     "a parameter is a pointer: its address is not that of the buffer"),
    ("libc/include/machine/setjmp.h", r"^#define _setjmp\(env\).*\n#define _longjmp.*$",
     "#define _setjmp(env)\t\tsetjmp (env)\n#define _longjmp(env, val)\tlongjmp ((env), (val))", 1,
     "_setjmp wrote a signal mask behind the end of a jmp_buf"),
    ("libc/include/sys/signal.h", r"^#if defined\(__rtems__\)\n(?=\n/\*  3\.3\.8)", "#if 1\n" + SIGACTION, 1,
     "sigaction with SA_SIGINFO and the other flags"),
    ("libc/include/sys/signal.h", r"^(  union sigval si_value;.*\n)", SIGINFO, 1,
     "what a handler is told: address, sender, status"),
    ("libc/include/sys/signal.h", r"\(1<<\(sig\)\)", "(1UL<<(sig))", 3,
     "a signal set is an unsigned long"),
    ("libc/include/sys/signal.h", r"^(?=#ifdef _COMPILING_NEWLIB)", SIGNALS, 1,
     "declare what XSI has besides"),
    ("libc/include/pthread.h", r"^(?=/\* Thread Creation, P1003.1c/Draft 10, p. 144 \*/)", PTHREAD, 1,
     "declare robust mutexes, which are refused, and what GNU has besides"),
    ("libc/include/limits.h", r"^(?=#ifndef ARG_MAX)", LIMITS, 1, "limits of threads"),
    ("libc/include/sys/select.h", r"^#\tdefine\tFD_SETSIZE\t64", "#\tdefine\tFD_SETSIZE\t256", 1,
     "as many descriptors as a process may have"),
    ("libc/include/sys/_default_fcntl.h", r"^\tshort\tl_pid;.*\n\tshort\tl_xxx;.*\n(?=\};\n#endif /\* __CYGWIN__)", "\tint\tl_pid;\n", 1,
     "who holds a lock: a pid does not fit into a short"),
    ("libc/include/glob.h", r"^#define\tGLOB_ABEND.*$",
     r"\g<0>\n#define\tGLOB_ABORTED\tGLOB_ABEND\n#define\tGLOB_NOMATCH\t(-3)\n#define\tGLOB_NOESCAPE\t0x2000", 1,
     "POSIX's names, and"),
    ("libc/posix/glob.c", r"if \(flags & GLOB_QUOTE\)", "if (!(flags & GLOB_NOESCAPE))", 1,
     "POSIX's meaning of a backslash, and"),
    ("libc/posix/glob.c", r"^(\t\treturn\(globextend\(pattern, pglob, limit\)\);\n)(\telse if \(!\(pglob->gl_flags & GLOB_NOSORT)",
     r"\1\telse if (pglob->gl_pathc == oldpathc)\n\t\treturn(GLOB_NOMATCH);\n\2", 1,
     "of a pattern that matches nothing: it was success, with no paths"),
    ("libc/stdlib/getopt.c", r"\|\| \(argv_element\[0\] == '-'\)",
     "|| (argv_element[0] == '-' && argv_element[1] != 0)", 1,
     "a lone - is an operand"),
    ("libc/stdio/vfprintf.c", VA_LIST, VA_COPY, 1, "positional arguments"),
    ("libc/stdio/vfwprintf.c", VA_LIST, VA_COPY, 1, "positional arguments"),
    ("libc/stdio/vfscanf.c", VA_LIST, VA_COPY, 1, "positional arguments"),
    ("libc/stdio/vfwscanf.c", VA_LIST, VA_COPY, 1, "positional arguments"),
]


def main():
    top = sys.argv[1]
    for name, pattern, replacement, often, why in EDITS:
        path = f"{top}/{name}"
        with open(path, encoding="latin-1") as source:
            text = source.read()
        flags = re.MULTILINE | (re.DOTALL if pattern is VA_LIST else 0)
        text, count = re.subn(pattern, replacement, text, flags=flags)
        if count != often:
            sys.exit(f"newlib: {name}: found {count} places to edit, not {often} ({why})")
        with open(path, "w", encoding="latin-1") as source:
            source.write(text)


main()
