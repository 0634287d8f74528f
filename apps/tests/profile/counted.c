/*
 * counted.c - a program whose functions execute known numbers of instructions.
 *
 * Each is written in assembly where its count is claimed: profile_test.py holds the emulators'
 * instruments to the claims.  The region "work" has one of each; what is before and after it calls
 * the same.
 */
#include <libos/call.h>
#include <libos/region.h>
#include <stdlib.h>
#include <string.h>
#include "spin.h"

enum { BEFORE = 1000, INSIDE = 50000, AFTER = 7, DEPTH = 10, CALLS = 100, BYTES = 5000 };

/* n + 4 instructions: each repetition is one, and so is none at all. */
void fill(char *to, unsigned long n);
__asm__(".globl fill\n.type fill, @function\n"
	"fill: movq %rsi, %rcx\n"
	"xorl %eax, %eax\n"
	"cld\n"
	"rep stosb\n"
	"ret\n.size fill, . - fill");

/* 4 instructions, of which the last is a jump to spin: which returns to its caller. */
void tail(unsigned long n);
__asm__(".globl tail\n.type tail, @function\n"
	"tail: nop\n"
	"nop\n"
	"nop\n"
	"jmp spin\n.size tail, . - tail");

/* 6 instructions a level and 4 at the last, which goes on as spin(1). */
void nest(unsigned long depth);
__asm__(".globl nest\n.type nest, @function\n"
	"nest: testq %rdi, %rdi\n"
	"jz 1f\n"
	"decq %rdi\n"
	"call nest\n"
	"nop\n"
	"ret\n"
	"1: movl $1, %edi\n"
	"jmp spin\n.size nest, . - nest");

/* 5 instructions, of which the call faults once, and is begun twice: its page of the stack is a new
 * one. */
void deepen(void);
__asm__(".globl deepen\n.type deepen, @function\n"
	"deepen: movl $3, %edi\n"
	"subq $0x8000, %rsp\n"
	"call spin\n"
	"addq $0x8000, %rsp\n"
	"ret\n.size deepen, . - deepen");

static __attribute__((noinline)) void calls(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		call_null();
}

int main(void)
{
	char *bytes = calloc(1, BYTES);

	if (bytes == NULL)
		return 1;
	memset(bytes, 1, BYTES);
	calls(1);
	spin(BEFORE);
	region_begin("work");
	spin(INSIDE);
	tail(1);
	fill(bytes, BYTES);
	fill(bytes, 0);
	nest(DEPTH);
	calls(CALLS);
	region_end("work");
	spin(AFTER);
	region_begin("tail");
	tail(2);
	region_end("tail");
	region_begin("fault");
	deepen();
	region_end("fault");
	return bytes[BYTES - 1];
}
