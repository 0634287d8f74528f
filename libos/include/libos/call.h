/*
 * call.h - the kernel's calls as inline functions, one per line of exo/syscall.def.
 *
 * call_NAME(arguments) returns struct exo_result {status, value}.  Owns nothing, keeps nothing, may
 * be called anywhere, upcall handlers included.  Statuses become negative errnos in call_errno().
 */
#ifndef LIBOS_CALL_H
#define LIBOS_CALL_H

#include <exo/abi.h>

/* The trap itself: every argument register is lost, memory may have changed. */
static inline struct exo_result call_trap(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2,
					  uint64_t a3, uint64_t a4, uint64_t a5)
{
	register uint64_t r10 __asm__("r10") = a3;
	register uint64_t r8 __asm__("r8") = a4;
	register uint64_t r9 __asm__("r9") = a5;

	__asm__ volatile("syscall"
			 : "+a"(number), "+D"(a0), "+S"(a1), "+d"(a2), "+r"(r10), "+r"(r8), "+r"(r9)
			 :
			 : "rcx", "r11", "memory");
	return (struct exo_result){number, a2};
}

/* Picks the wrapper by the number of arguments; CALL_n passes n of them and zeros. */
#define CALL_PARAMS_0  (void)
#define CALL_PARAMS_1  (uint64_t a)
#define CALL_PARAMS_2  (uint64_t a, uint64_t b)
#define CALL_PARAMS_3  (uint64_t a, uint64_t b, uint64_t c)
#define CALL_PARAMS_4  (uint64_t a, uint64_t b, uint64_t c, uint64_t d)
#define CALL_PARAMS_5  (uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
#define CALL_PARAMS_6  (uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
#define CALL_BODY_0(n) call_trap(n, 0, 0, 0, 0, 0, 0)
#define CALL_BODY_1(n) call_trap(n, a, 0, 0, 0, 0, 0)
#define CALL_BODY_2(n) call_trap(n, a, b, 0, 0, 0, 0)
#define CALL_BODY_3(n) call_trap(n, a, b, c, 0, 0, 0)
#define CALL_BODY_4(n) call_trap(n, a, b, c, d, 0, 0)
#define CALL_BODY_5(n) call_trap(n, a, b, c, d, e, 0)
#define CALL_BODY_6(n) call_trap(n, a, b, c, d, e, f)

#define CALL(number, name, nargs, args, what, errors, bound, example)                              \
	static inline struct exo_result call_##name CALL_PARAMS_##nargs {                          \
		return CALL_BODY_##nargs(number);                                                  \
	}
#include <exo/syscall.def>
#undef CALL

/* The negative errno that says what `status` says; 0 for EXO_OK. */
int call_errno(uint64_t status);

/* The name of a status, for messages: "QUOTA". */
const char *call_status_name(uint64_t status);

/* Status of a call as 0 or a negative errno, for calls whose value does not matter. */
static inline int call_result(struct exo_result r)
{
	return r.status == EXO_OK ? 0 : call_errno(r.status);
}

#endif
