/*
 * console_test.c - sessions share the line without mixing, and nobody waits for ever.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include "../../kern/cap.h"
#include "../../kern/console.h"
#include "../../kern/env.h"
#include "../../kern/page.h"
#include "../../kern/quota.h"
#include "../../kern/syscall.h"
#include "../../kern/table.h"
#include "fake.h"

enum { A = 2, B = 3, VA = 0x400000, MAIN = 1, OWN = 2, MS = 1000000 };

static uint8_t *buffer(uint32_t e)
{
	return machine_bytes((struct pfn){e * 64 + 10});
}

/* Maps e's frame 10 at VA, by hand, since only reading and writing it matters here. */
static void map_buffer(uint32_t e)
{
	const uint64_t leaf = PTE_P | PTE_W | PTE_U;
	uint32_t table = e * 64 + 20;

	envs[e].root = table;
	for (int shift = 39; shift > 12; shift -= 9, table++)
		machine_table((struct pfn){table})->e[(uint64_t)VA >> shift & 511] =
			(table + 1ull) * 4096 | leaf;
	machine_table((struct pfn){table})->e[(uint64_t)VA >> 12 & 511] =
		(e * 64 + 10ull) * 4096 | leaf | PTE_NX;
	for (uint32_t i = 0; i < 4; i++) {
		pages[e * 64 + 20 + i].state = EXO_PAGE_TABLE;
		pages[e * 64 + 20 + i].level = (uint8_t)(4 - i);
	}
}

/* A has session 0 in slot 1; B has one of its own in slot 2. */
static void two_sessions(void)
{
	for (uint32_t e = A; e <= B; e++) {
		fake_env(e, e);
		map_buffer(e);
		cap_put(e, MAIN,
			(struct exo_cap){
				.kind = EXO_CAP_CONSOLE, .rights = 15, .gen = console_gen(0)});
	}
	fake_as(B);
	if (sys_console_session(OWN).status != EXO_OK)
		abort();
}

/* Bytes taken of text written by e. */
static uint64_t say(uint32_t e, const char *text)
{
	memcpy(buffer(e), text, strlen(text));
	fake_as(e);
	return sys_console_write(e == A ? MAIN : OWN, VA, strlen(text)).value;
}

static int shown(const char *text)
{
	return fake_shown == strlen(text) && memcmp(fake_line, text, fake_shown) == 0;
}

static void one_session_goes_straight(void)
{
	two_sessions();
	CHECK(say(A, "$ ") == 2 && shown("$ "));
	CHECK(say(A, "ls\nx") == 4 && shown("$ ls\nx"));
}

static void lines_do_not_mix(void)
{
	two_sessions();
	fake_room = 3;
	(void)say(A, "aaa-aaa\naa");
	(void)say(B, "bbb\nbbb\n");
	(void)say(A, "-aa\n");
	fake_room = 1000;
	console_sent();
	CHECK(shown("aaa-aaa\nbbb\naa-aa\nbbb\n"));
}

static void an_open_line_is_ended_for_a_whole_one(void)
{
	two_sessions();
	(void)say(A, "prompt$ ");
	(void)say(B, "done\n");
	(void)say(A, "more");
	CHECK(shown("prompt$ \ndone\nmore"));
}

static void text_without_end_gets_its_turn(void)
{
	two_sessions();
	console_tick(1 * MS);
	(void)say(A, "prompt$ ");
	(void)say(B, "Password: ");
	CHECK(shown("prompt$ "));
	console_tick(50 * MS);
	CHECK(shown("prompt$ "));
	console_tick(150 * MS);
	CHECK(shown("prompt$ \nPassword: "));
	console_tick(500 * MS);
	CHECK(shown("prompt$ \nPassword: "));
}

static void nobody_holds_the_line(void)
{
	char chars[251];

	two_sessions();
	memset(chars, 'a', 250);
	chars[250] = 0;
	fake_room = 0;
	for (uint32_t i = 0; i < 4; i++)
		CHECK(say(A, chars) == 250);
	(void)say(B, "b\n");
	fake_room = 2000;
	console_sent();
	console_sent();
	CHECK(memmem(fake_line, 300, "a\nb\naa", 6) != NULL && fake_shown == 1000 + 3);
}

static void a_full_buffer_tells_when_there_is_room(void)
{
	char chars[251];

	two_sessions();
	memset(chars, 'a', 250);
	chars[250] = 0;
	fake_room = 0;
	for (uint32_t i = 0; i < 4; i++)
		CHECK(say(A, chars) == 250);
	CHECK(say(A, chars) == 24 && say(A, chars) == 0);
	CHECK(say(B, "b\n") == 2); /* its own buffer */
	envs[A].events = envs[B].events = 0;
	fake_room = 400;
	console_sent();
	CHECK(envs[A].events == 0);
	fake_room = 400;
	console_sent();
	CHECK(envs[A].events == EXO_EV_CONSOLE_OUT && envs[B].events == 0);
	CHECK(say(A, chars) == 250);
}

static void input_goes_to_who_asked_last(void)
{
	two_sessions();
	fake_as(A);
	CHECK(sys_console_read(MAIN, VA, 10).status == EXO_AGAIN);
	fake_as(B);
	CHECK(sys_console_read(OWN, VA, 10).status == EXO_AGAIN);
	envs[A].events = envs[B].events = 0;
	console_input('x');
	console_input('y');
	CHECK(envs[A].events == 0 && envs[B].events == EXO_EV_CONSOLE_IN);
	CHECK(sys_console_read(OWN, VA + 0x1000, 1).status == EXO_FAULT);
	CHECK(sys_console_read(OWN, VA, 257).status == EXO_RANGE);
	CHECK(sys_console_read(OWN, VA, 1).value == 1 && buffer(B)[0] == 'x');
	CHECK(sys_console_read(OWN, VA, 9).value == 1 && buffer(B)[0] == 'y');
	CHECK(sys_console_read(OWN, VA, 9).status == EXO_AGAIN);
	for (uint32_t i = 0; i < 300; i++)
		console_input((uint8_t)i);
	CHECK(sys_console_read(OWN, VA, 256).value == 256 && buffer(B)[255] == 255);
	CHECK(sys_console_read(OWN, VA, 256).status == EXO_AGAIN);
	console_env_end(B);
	console_input('z'); /* nobody to tell */
}

static uint64_t typed(uint32_t e, uint64_t slot)
{
	fake_as(e);
	return sys_console_read(slot, VA, 10).value;
}

/* B, with ATTEND, gets what is typed between two EXO_ATTENTION; A, which hangs, nothing of it. */
static void attention_passes_the_input(void)
{
	two_sessions();
	caps[B].c[OWN].rights |= EXO_RIGHT_ATTEND;
	console_input(EXO_ATTENTION); /* nobody attends: a byte */
	CHECK(typed(A, MAIN) == 1 && buffer(A)[0] == EXO_ATTENTION);
	CHECK(typed(A, MAIN) == 0 && typed(B, OWN) == 0);
	for (uint32_t i = 0; i < 300; i++)
		console_input('a');
	CHECK(typed(B, OWN) == 0);
	envs[A].events = envs[B].events = 0;
	console_input(EXO_ATTENTION);
	CHECK(envs[A].events == 0 && envs[B].events == EXO_EV_CONSOLE_IN);
	console_input('b');
	CHECK(envs[A].events == 0 && typed(A, MAIN) == 0);
	CHECK(typed(B, OWN) == 2 && buffer(B)[0] == EXO_ATTENTION && buffer(B)[1] == 'b');
	console_input('c');
	console_input(EXO_ATTENTION);
	CHECK(envs[A].events == EXO_EV_CONSOLE_IN && typed(A, MAIN) == 0);
	console_input('d');
	CHECK(typed(B, OWN) == 0 && typed(A, MAIN) == 1 && buffer(A)[0] == 'd');
}

static void input_comes_back_from_who_attended_and_ended(void)
{
	two_sessions();
	caps[B].c[OWN].rights |= EXO_RIGHT_ATTEND;
	CHECK(typed(A, MAIN) == 0 && typed(B, OWN) == 0);
	console_input(EXO_ATTENTION);
	console_env_end(B);
	console_input('x');
	CHECK(typed(A, MAIN) == 1 && buffer(A)[0] == 'x');
	console_env_end(A);
}

static void input_stays_when_who_attends_ends_and_has_it_not(void)
{
	two_sessions();
	caps[B].c[OWN].rights |= EXO_RIGHT_ATTEND;
	CHECK(typed(A, MAIN) == 0 && typed(B, OWN) == 0);
	console_input('y');
	console_env_end(B);
	CHECK(typed(A, MAIN) == 1 && buffer(A)[0] == 'y');
	console_env_end(A);
}

static void rights_are_checked(void)
{
	two_sessions();
	fake_as(B);
	CHECK(sys_cap_derive(OWN, 20, EXO_RIGHT_WRITE, 0, 0).status == EXO_OK);
	CHECK(sys_console_write(20, VA, 1).status == EXO_OK);
	CHECK(sys_console_write(20, VA, 257).status == EXO_RANGE);
	CHECK(sys_console_write(20, VA - 1, 2).status == EXO_FAULT);
	CHECK(sys_console_read(20, VA, 1).status == EXO_PERM);
	CHECK(sys_console_write(0, VA, 1).status == EXO_TYPE);
	CHECK(sys_console_session(20).status == EXO_OCCUPIED);
	for (uint64_t d = 30; d < 44; d++)
		CHECK(sys_console_session(d).status == EXO_OK);
	CHECK(sys_console_session(44).status == EXO_FULL);
	CHECK(sys_cap_revoke(30).status == EXO_OK);
	CHECK(sys_console_write(30, VA, 1).status == EXO_STALE);
	CHECK(sys_console_session(44).status == EXO_OK);
	console_env_end(B);
	CHECK(sys_console_write(20, VA, 1).status == EXO_STALE);
	CHECK(sys_console_write(MAIN, VA, 1).status == EXO_OK);
	CHECK(sys_cap_drop(MAIN).status == EXO_OK);
	CHECK(sys_console_session(50).status == EXO_STATE);
}

static void slots_are_checked(void)
{
	two_sessions();
	fake_as(B);
	CHECK(sys_cap_derive(OWN, 20, EXO_RIGHT_READ, 0, 0).status == EXO_OK);
	CHECK(sys_console_write(64, VA, 1).status == EXO_RANGE);
	CHECK(sys_console_write(40, VA, 1).status == EXO_STATE);
	CHECK(sys_console_write(20, VA, 1).status == EXO_PERM);
	CHECK(sys_console_read(64, VA, 1).status == EXO_RANGE);
	CHECK(sys_console_read(40, VA, 1).status == EXO_STATE);
	CHECK(sys_console_read(0, VA, 1).status == EXO_TYPE);
	CHECK(sys_console_session(64).status == EXO_RANGE);
	quota_limit[B].n[EXO_QUOTA_CAPS] = quota_used[B].n[EXO_QUOTA_CAPS];
	CHECK(sys_console_session(21).status == EXO_QUOTA);
	quota_limit[B].n[EXO_QUOTA_CAPS] = 32;
	CHECK(sys_cap_revoke(OWN).status == EXO_OK);
	CHECK(sys_console_read(20, VA, 1).status == EXO_STALE);
}

/* The right to make sessions is that of slot 1. */
static void sessions_are_made_by_slot_1(void)
{
	two_sessions();
	fake_as(B);
	CHECK(sys_cap_drop(MAIN).status == EXO_OK);
	CHECK(sys_cap_derive(OWN, MAIN, EXO_RIGHT_WRITE, 0, 0).status == EXO_OK);
	CHECK(sys_console_session(20).status == EXO_PERM);
	CHECK(sys_cap_revoke(OWN).status == EXO_OK);
	CHECK(sys_console_session(20).status == EXO_STALE);
	CHECK(sys_cap_drop(MAIN).status == EXO_OK);
	CHECK(sys_console_session(20).status == EXO_STATE);
	CHECK(sys_cap_derive(0, MAIN, 0, 0, 0).status == EXO_OK);
	CHECK(sys_console_session(20).status == EXO_TYPE);
}

static void an_ended_session_is_shown_to_its_end(void)
{
	two_sessions();
	fake_room = 0;
	(void)say(B, "last words\n");
	console_env_end(B);
	fake_as(A);
	for (uint64_t d = 30; d < 44; d++)
		CHECK(sys_console_session(d).status == EXO_OK);
	CHECK(sys_console_session(44).status == EXO_FULL); /* its place is not free yet */
	fake_room = 100;
	console_sent();
	CHECK(shown("last words\n") && console_pending() == 0);
	CHECK(sys_console_session(44).status == EXO_OK);
}

/* Session 0 outlives a revocation; who waited for room is forgotten with its end. */
static void session_0_stays(void)
{
	char chars[251];

	two_sessions();
	fake_as(A);
	CHECK(sys_cap_revoke(MAIN).status == EXO_OK);
	CHECK(sys_console_write(MAIN, VA, 1).status == EXO_STALE);
	caps[A].c[MAIN].gen = console_gen(0);
	CHECK(say(A, "x") == 1 && shown("x"));
	memset(chars, 'a', 250);
	chars[250] = 0;
	fake_room = 0;
	for (uint32_t i = 0; i < 5; i++)
		(void)say(A, chars);
	fake_as(1);
	CHECK(sys_env_kill(A + 8, 0).status == EXO_OK);
	fake_room = 4000;
	console_sent();
	console_sent();
	CHECK(fake_shown > 1000 && envs[A].events == 0);
}

/* The kernel's own lines, as far as they fit. */
static void the_log_is_a_session(void)
{
	two_sessions();
	fake_room = 0;
	for (const char *c = "all\nis well\n"; *c; c++)
		console_log((uint8_t)*c);
	for (uint32_t i = 0; i < 5000; i++)
		console_log('.');
	fake_room = 10000;
	console_sent();
	CHECK(fake_shown < 5000 && memcmp(fake_line, "all\nis well\n....", 16) == 0);
}

/* No room for the end of an open line: it comes later, and the other's line after it. */
static void an_open_line_is_ended_when_there_is_room(void)
{
	two_sessions();
	(void)say(A, "prompt$ ");
	fake_room = 0;
	(void)say(B, "done\n");
	CHECK(shown("prompt$ "));
	fake_room = 100;
	console_sent();
	CHECK(shown("prompt$ \ndone\n"));
}

static void nothing_is_read_when_nothing_is_asked(void)
{
	struct exo_result r;

	two_sessions();
	fake_as(A);
	r = sys_console_read(MAIN, VA, 0);
	CHECK(r.status == EXO_OK && r.value == 0);
}

int main(void)
{
	RUN_TEST(one_session_goes_straight);
	RUN_TEST(lines_do_not_mix);
	RUN_TEST(an_open_line_is_ended_for_a_whole_one);
	RUN_TEST(text_without_end_gets_its_turn);
	RUN_TEST(nobody_holds_the_line);
	RUN_TEST(a_full_buffer_tells_when_there_is_room);
	RUN_TEST(input_goes_to_who_asked_last);
	RUN_TEST(attention_passes_the_input);
	RUN_TEST(input_comes_back_from_who_attended_and_ended);
	RUN_TEST(input_stays_when_who_attends_ends_and_has_it_not);
	RUN_TEST(rights_are_checked);
	RUN_TEST(slots_are_checked);
	RUN_TEST(sessions_are_made_by_slot_1);
	RUN_TEST(an_ended_session_is_shown_to_its_end);
	RUN_TEST(session_0_stays);
	RUN_TEST(the_log_is_a_session);
	RUN_TEST(an_open_line_is_ended_when_there_is_room);
	RUN_TEST(nothing_is_read_when_nothing_is_asked);
	return fake_failed != 0;
}
