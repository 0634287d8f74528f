/*
 * bare.c - a personality for programs that want no operating system: main, the console, the disk.
 *
 * Owns nothing but the way in and out.  There are no files, no signals, no C library state; a fault
 * ends the program with a report.  Called by core/start.c and by newlib's string functions.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <libos/bare.h>
#include <libos/console.h>
#include <libos/disk_open.h>
#include <libos/sched.h>
#include <libos/start.h>
#include <libos/vm.h>

int main(int argc, char **argv);

enum { LINE = 256 }; /* bytes that the console takes at once */

int personality_thread(struct thread *t)
{
	(void)t;
	return 0;
}

void personality_thread_end(struct thread *t)
{
	(void)t;
}

void personality_thread_free(struct thread *t)
{
	(void)t;
}

void personality_thread_resumed(void)
{
}

uint64_t personality_alarm(void)
{
	return UINT64_MAX;
}

_Noreturn void personality_thread_last(void)
{
	start_exit(0);
}

/* Of the linker: constructors, such as that of the first thread's variables (sched/tls.c). */
extern void (*const __init_array_start[])(void), (*const __init_array_end[])(void);

_Noreturn void start_run(const struct start_args *args)
{
	for (void (*const *fn)(void) = __init_array_start; fn != __init_array_end; fn++)
		(*fn)();
	start_exit(main((int)args->argc, args->argv) & 0xff);
}

/* Digits of n at the end of text[64]. */
static const char *digits(char *text, uint64_t n, unsigned base, unsigned width)
{
	char *at = text + 63;

	*at = 0;
	do {
		*--at = "0123456789abcdef"[n % base];
		n /= base;
	} while (n || (text + 63 - at < (int)width && at > text));
	return at;
}

/* What one bare_print prints: handed to the console whole, or lines of programs that share a
 * session would mix. */
struct line {
	size_t n;
	char text[LINE];
};

static void flush(struct line *l)
{
	(void)console_write(l->text, l->n);
	l->n = 0;
}

static void put(struct line *l, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (l->n == LINE)
			flush(l);
		l->text[l->n++] = text[i];
	}
}

static void put_string(struct line *l, const char *text)
{
	put(l, text, strlen(text));
}

/* One conversion: what comes after '%'. */
static void convert(struct line *l, char what, va_list *args)
{
	char text[64] = "";
	int64_t n;

	switch (what) {
	case 's':
		put_string(l, va_arg(*args, const char *));
		return;
	case 'd':
		n = va_arg(*args, int64_t);
		if (n < 0)
			put(l, "-", 1);
		put_string(l, digits(text, n < 0 ? -(uint64_t)n : (uint64_t)n, 10, 1));
		return;
	case 'u':
		put_string(l, digits(text, va_arg(*args, uint64_t), 10, 1));
		return;
	case 'x':
		put_string(l, digits(text, va_arg(*args, uint64_t), 16, 1));
		return;
	default:
		put(l, &what, 1);
	}
}

void bare_print(const char *format, ...)
{
	struct line line = {.n = 0};
	va_list args;

	va_start(args, format);
	while (*format) {
		const size_t plain = strcspn(format, "%");

		put(&line, format, plain);
		format += plain;
		if (format[0] == '%' && format[1]) {
			convert(&line, format[1], &args);
			format += 2;
		} else if (format[0] == '%') {
			format++;
		}
	}
	va_end(args);
	flush(&line);
}

int bare_number(const char *text, uint64_t *n)
{
	*n = 0;
	do {
		if (*text < '0' || *text > '9' || *n > UINT64_MAX / 10 - 1)
			return -EINVAL;
		*n = *n * 10 + (uint64_t)(*text - '0');
	} while (*++text);
	return 0;
}

int bare_open(const char *name, struct disk **out)
{
	const int cap = start_extent(name);
	const int extent = start_extent_index(name);

	if (cap < 0 || extent < 0)
		return -ENOENT;
	return disk_open((uint32_t)cap, (uint32_t)extent, out);
}

int bare_transfer(struct disk *d, enum disk_op op, uint64_t block, uint32_t count, void *buffer)
{
	void *pages[DISK_MAX_BLOCKS];
	struct disk_req r = {.op = op, .nblocks = count, .block = block, .pages = pages};
	int err;

	for (uint32_t i = 0; i < count && i < DISK_MAX_BLOCKS; i++)
		pages[i] = (char *)buffer + (uint64_t)i * DISK_BLOCK;
	err = disk_submit(d, &r);
	return err ? err : disk_wait(d, &r);
}

void *bare_pages(uint32_t count)
{
	uint64_t va;

	return vm_reserve(0, count * VM_PAGE, VM_READ | VM_WRITE, VM_ANON, &va) ? 0 : (void *)va;
}
