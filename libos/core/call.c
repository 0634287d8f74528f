/*
 * call.c - the kernel's statuses as errnos and as names.
 * Owns two constant tables; called from everywhere, upcall handlers included.
 */
#include <errno.h>
#include <libos/call.h>

int call_errno(uint64_t status)
{
	static const uint8_t errnos[] = {
		[EXO_OK] = 0,	      [EXO_CALL] = ENOSYS,
		[EXO_ARG] = EINVAL,   [EXO_RANGE] = ERANGE,
		[EXO_PERM] = EACCES,  [EXO_STALE] = ESRCH,
		[EXO_STATE] = EINVAL, [EXO_BUSY] = EBUSY,
		[EXO_QUOTA] = ENOMEM, [EXO_OCCUPIED] = EEXIST,
		[EXO_TYPE] = EBADF,   [EXO_AGAIN] = EAGAIN,
		[EXO_FAULT] = EFAULT, [EXO_UNINIT] = ENODATA,
		[EXO_IO] = EIO,	      [EXO_TIMEOUT] = ETIMEDOUT,
		[EXO_WX] = EACCES,    [EXO_NODEV] = ENODEV,
		[EXO_FULL] = ENFILE,  [EXO_GONE] = EPIPE,
	};

	return status < sizeof(errnos) ? -(int)errnos[status] : -ENOSYS;
}

const char *call_status_name(uint64_t status)
{
	static const char *const names[] = {
#define STATUS(name, number, meaning) [number] = #name,
#include <exo/status.def>
#undef STATUS
	};

	return status < sizeof(names) / sizeof(names[0]) ? names[status] : "?";
}
