/* Messages on the standard error, with the program's name before them.  warn() and err() add what
 * errno means; err() and errx() end the program with the status given. */
#ifndef _ERR_H
#define _ERR_H

#include <stdarg.h>
#include <sys/cdefs.h>

#define __ERR_FORMAT(n, m) __attribute__((__format__(__printf__, n, m)))

__BEGIN_DECLS
void warn(const char *format, ...) __ERR_FORMAT(1, 2);
void warnx(const char *format, ...) __ERR_FORMAT(1, 2);
void vwarn(const char *format, va_list args) __ERR_FORMAT(1, 0);
void vwarnx(const char *format, va_list args) __ERR_FORMAT(1, 0);
void err(int status, const char *format, ...) __ERR_FORMAT(2, 3) __attribute__((__noreturn__));
void errx(int status, const char *format, ...) __ERR_FORMAT(2, 3) __attribute__((__noreturn__));
void verr(int status, const char *format, va_list args) __ERR_FORMAT(2, 0)
	__attribute__((__noreturn__));
void verrx(int status, const char *format, va_list args) __ERR_FORMAT(2, 0)
	__attribute__((__noreturn__));
__END_DECLS

#endif
