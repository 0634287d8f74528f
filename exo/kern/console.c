/*
 * console.c - owns the sessions' buffers and the ring of input; calls console_write, console_read,
 * console_session.
 *
 * Bytes leave one session until its line ends, then the next session that has any gets its turn.
 * One that leaves its line open keeps the console until another has a whole line, or has waited
 * PATIENCE; then a line end is put in.  Invariant: between two line ends stand bytes of one
 * session.  Input is of one ring, and read by whoever asks, or, between two EXO_ATTENTION, by who
 * attends; what is in it when it changes hands is dropped, since who hangs would never read it.
 * Called by programs' calls, by dev/uart.c and dev/kbd.c, and by the log (a session of its
 * own).
 */
#include "cap.h"
#include "console.h"
#include "cpu.h"
#include "env.h"
#include "event.h"
#include "machine.h"
#include "syscall.h"
#include "uaccess.h"

enum {
	OUTPUT_SIZE = 1024,
	INPUT_SIZE = 256,
	LINE_MAX = 256, /* a longer line is ended when somebody waits */
	PUMP_MAX = 512, /* bytes shown in one go; the rest at the next tick */
	LOG = EXO_NSESSION,
	NSESSION = EXO_NSESSION + 1,
	MAIN_SLOT = 1, /* where console_session looks for the right to make one */
};

static const uint64_t PATIENCE = 100 * 1000 * 1000; /* ns */

static struct session {
	uint64_t gen;
	uint32_t used;	    /* somebody may hold capabilities */
	uint32_t maker;	    /* environment that made it; 0: nobody */
	uint32_t waiter;    /* environment that got a short write; 0: nobody */
	uint32_t head;	    /* of the buffer */
	uint32_t count;	    /* bytes in it */
	uint32_t line_ends; /* among them */
	uint64_t since;	    /* when it last became not empty */
	uint8_t data[OUTPUT_SIZE];
} sessions[NSESSION];

static struct {
	uint32_t session; /* whose line it is */
	uint32_t column;  /* bytes since the last line end */
	uint32_t pending; /* bytes in all buffers */
	uint32_t waiters;
	uint64_t now; /* of the last tick */
} shown;

static struct {
	uint32_t head, count;
	uint32_t attended;  /* it is for who attends */
	uint32_t reader[2]; /* who is told, [1] of those who attend; 0: nobody */
	uint8_t data[INPUT_SIZE];
} input;

void console_init(void)
{
	for (uint32_t s = 0; s < NSESSION; s++)
		sessions[s] = (struct session){.gen = 1};
	sessions[0].used = 1;
	shown.session = shown.column = shown.pending = shown.waiters = 0;
	input.head = input.count = input.attended = input.reader[0] = input.reader[1] = 0;
}

uint64_t console_gen(uint32_t session)
{
	return sessions[session].gen;
}

void console_revoke(uint32_t session)
{
	sessions[session].gen++;
	if (session == 0)
		return;
	sessions[session].used = 0;
	sessions[session].maker = 0;
}

static void forget_waiter(struct session *s)
{
	if (s->waiter != 0)
		shown.waiters--;
	s->waiter = 0;
}

/* Who attends gives the input to the other, or the other way round; what nobody has read is
 * dropped. */
static void pass_input(void)
{
	input.attended = !input.attended;
	input.count = 0;
}

void console_env_end(uint32_t e)
{
	for (uint32_t s = 0; s < EXO_NSESSION; s++) {
		if (sessions[s].maker == e)
			console_revoke(s);
		if (sessions[s].waiter == e)
			forget_waiter(&sessions[s]);
	}
	if (input.reader[0] == e)
		input.reader[0] = 0;
	if (input.reader[1] == e) {
		input.reader[1] = 0;
		if (input.attended)
			pass_input();
	}
}

/* ---- output ------------------------------------------------------------------------------ */

/* Does anybody else than the session on the line have something that should not wait longer? */
static int others_due(void)
{
	if (shown.pending == sessions[shown.session].count)
		return 0;
	for (uint32_t i = 0; i < NSESSION; i++) {
		const struct session *s = &sessions[i];

		if (i != shown.session && s->count != 0 &&
		    (s->line_ends != 0 || shown.now - s->since >= PATIENCE))
			return 1;
	}
	return 0;
}

/* The next session after the one on the line that has anything; that one itself comes last. */
static uint32_t next_session(void)
{
	uint32_t i = shown.session;

	do {
		i = (i + 1) % NSESSION;
	} while (sessions[i].count == 0 && i != shown.session);
	return i;
}

/* Shows one byte of the session on the line; 0 when the line has no room. */
static int show(void)
{
	struct session *s = &sessions[shown.session];
	const uint8_t byte = s->data[s->head];

	if (!machine_console_put(byte))
		return 0;
	s->head = (s->head + 1) % OUTPUT_SIZE;
	s->count--;
	shown.pending--;
	shown.column++;
	if (byte == '\n') {
		s->line_ends--;
		shown.column = 0;
	}
	return 1;
}

/* One step of output: 0 when there is nothing to do, or no room. */
static int step(void)
{
	if (shown.pending == 0)
		return 0;
	if (shown.column == 0) {
		shown.session = next_session();
		return show();
	}
	if (sessions[shown.session].count != 0 && (shown.column < LINE_MAX || !others_due()))
		return show();
	if (!others_due() || !machine_console_put('\n'))
		return 0;
	shown.column = 0;
	return 1;
}

static void tell_waiters(void)
{
	for (uint32_t i = 0; i < EXO_NSESSION && shown.waiters != 0; i++) {
		struct session *s = &sessions[i];

		if (s->waiter != 0 && s->count <= OUTPUT_SIZE / 2) {
			event_raise(s->waiter, EXO_EV_CONSOLE_OUT);
			forget_waiter(s);
		}
	}
}

static void pump(void)
{
	for (uint32_t n = 0; n < PUMP_MAX && step(); n++)
		;
	tell_waiters();
}

void console_sent(void)
{
	pump();
}

void console_tick(uint64_t now)
{
	shown.now = now;
	if (shown.pending != 0)
		pump();
}

uint32_t console_pending(void)
{
	return shown.pending;
}

/* The session has room for the byte. */
static void append(struct session *s, uint8_t byte)
{
	if (s->count == 0)
		s->since = shown.now;
	s->data[(s->head + s->count) % OUTPUT_SIZE] = byte;
	s->count++;
	shown.pending++;
	if (byte == '\n')
		s->line_ends++;
}

void console_log(uint8_t byte)
{
	if (sessions[LOG].count < OUTPUT_SIZE)
		append(&sessions[LOG], byte);
	if (byte == '\n')
		pump();
}

struct exo_result sys_console_write(uint64_t slot, uint64_t va, uint64_t n)
{
	const uint32_t e = cpu_self();
	struct exo_cap cap;
	struct session *s;
	uint8_t bytes[UACCESS_MAX];
	uint32_t room;
	enum exo_status status = cap_find(e, slot, EXO_CAP_CONSOLE, EXO_RIGHT_WRITE, &cap);

	if (status != EXO_OK)
		return refuse(status);
	if (n > UACCESS_MAX)
		return refuse(EXO_RANGE);
	s = &sessions[cap.object];
	room = OUTPUT_SIZE - s->count;
	if (room > n)
		room = (uint32_t)n;
	status = copy_in(e, (struct uva){va}, bytes, room);
	if (status != EXO_OK)
		return refuse(status);

	for (uint32_t i = 0; i < room; i++)
		append(s, bytes[i]);
	if (room < n) {
		forget_waiter(s);
		s->waiter = e;
		shown.waiters++;
	}
	pump();
	return answer(EXO_OK, room);
}

/* ---- input ------------------------------------------------------------------------------- */

void console_input(uint8_t byte)
{
	const int passes = byte == EXO_ATTENTION && input.reader[1] != 0;

	if (passes)
		pass_input();
	/* Who attends reads EXO_ATTENTION first: its turn begins. */
	if (input.count < INPUT_SIZE && (!passes || input.attended)) {
		input.data[(input.head + input.count) % INPUT_SIZE] = byte;
		input.count++;
	}
	event_raise(input.reader[input.attended], EXO_EV_CONSOLE_IN);
}

struct exo_result sys_console_read(uint64_t slot, uint64_t va, uint64_t n)
{
	const uint32_t e = cpu_self();
	struct exo_cap cap;
	uint8_t bytes[UACCESS_MAX];
	uint32_t attends, count;
	enum exo_status status = cap_find(e, slot, EXO_CAP_CONSOLE, EXO_RIGHT_READ, &cap);

	if (status != EXO_OK)
		return refuse(status);
	if (n > UACCESS_MAX)
		return refuse(EXO_RANGE);
	attends = (cap.rights & EXO_RIGHT_ATTEND) != 0;
	count = attends == input.attended ? input.count : 0;
	if (count == 0 && n != 0) {
		input.reader[attends] = e;
		return refuse(EXO_AGAIN);
	}
	if (count > n)
		count = (uint32_t)n;
	for (uint32_t i = 0; i < count; i++)
		bytes[i] = input.data[(input.head + i) % INPUT_SIZE];
	status = copy_out(e, (struct uva){va}, bytes, count);
	if (status != EXO_OK)
		return refuse(status);

	input.head = (input.head + count) % INPUT_SIZE;
	input.count -= count;
	return answer(EXO_OK, count);
}

/* ---- sessions ---------------------------------------------------------------------------- */

struct exo_result sys_console_session(uint64_t d)
{
	const uint32_t e = cpu_self();
	uint32_t s = 1;
	struct exo_cap cap;
	enum exo_status status = cap_find(e, MAIN_SLOT, EXO_CAP_CONSOLE, EXO_RIGHT_ADMIN, &cap);

	if (status == EXO_OK)
		status = cap_room(e, d);
	while (s < EXO_NSESSION && (sessions[s].used || sessions[s].count != 0))
		s++;
	if (status == EXO_OK && s == EXO_NSESSION)
		status = EXO_FULL;
	if (status != EXO_OK)
		return refuse(status);

	sessions[s].used = 1;
	sessions[s].maker = e;
	cap_put(e, (uint32_t)d,
		(struct exo_cap){.kind = EXO_CAP_CONSOLE,
				 .rights = EXO_RIGHT_READ | EXO_RIGHT_WRITE | EXO_RIGHT_GRANT |
					   EXO_RIGHT_ADMIN,
				 .object = s,
				 .gen = sessions[s].gen});
	return answer(EXO_OK, s);
}
