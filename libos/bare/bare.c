/*
 * bare.c - a personality for programs that want no operating system: main, the console, the disk.
 *
 * Owns nothing but the way in and out.  There are no files, no signals, no C library state; a fault
 * ends the program with a report.  Called by core/start.c and by newlib's string functions.
 */
#include <errno.h>
#include <stdarg.h>
#include <libos/bare.h>
#include <libos/console.h>
#include <libos/disk_open.h>
#include <libos/sched.h>
#include <libos/start.h>
#include <libos/vm.h>

int main(int argc, char **argv);

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

/* One conversion: what comes after '%'. */
static void convert(char what, va_list *args)
{
	char text[64];
	int64_t n;

	switch (what) {
	case 's':
		console_print(va_arg(*args, const char *));
		return;
	case 'd':
		n = va_arg(*args, int64_t);
		if (n < 0)
			console_print("-");
		console_print(digits(text, n < 0 ? -(uint64_t)n : (uint64_t)n, 10, 1));
		return;
	case 'u':
		console_print(digits(text, va_arg(*args, uint64_t), 10, 1));
		return;
	case 'x':
		console_print(digits(text, va_arg(*args, uint64_t), 16, 1));
		return;
	default:
		(void)console_write(&what, 1);
	}
}

void bare_print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	while (*format) {
		const char *end = format;

		while (*end && *end != '%')
			end++;
		(void)console_write(format, (size_t)(end - format));
		if (*end == '%' && end[1]) {
			convert(end[1], &args);
			end += 2;
		}
		format = end;
	}
	va_end(args);
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
