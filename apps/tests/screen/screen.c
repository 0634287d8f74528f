/*
 * screen - a program that has the text screen for itself: the device's frame is one of its pages.
 *
 * Draws, lets the console talk meanwhile, and looks whether what it drew is still there; gives the
 * screen back and has it again.  Prints `ok screen` or `FAIL screen: why`.
 */
#include <libos/bare.h>
#include <libos/layout.h>
#include <libos/vm.h>

int main(void);

enum { FRAME = 0xb8, CELLS = 80 * 25, MS = 1000000 };

static volatile uint16_t *const cells = (volatile uint16_t *)LAYOUT_WINDOW;

static uint16_t drawn(uint32_t i)
{
	return (uint16_t)(0x1e00 | ('!' + i % 90));
}

static const char *draw_and_look(void)
{
	if (vm_map(LAYOUT_WINDOW, FRAME, 1, VM_READ | VM_WRITE, LAYOUT_CAP_SCREEN) != 0)
		return "it cannot be mapped";
	(void)time_sleep_until(time_now() + 30 * MS, 0);
	for (uint32_t i = 0; i < CELLS; i++)
		cells[i] = drawn(i);
	for (int i = 0; i < 30; i++)
		bare_print("the console goes on\n");
	(void)time_sleep_until(time_now() + 30 * MS, 0);
	for (uint32_t i = 0; i < CELLS; i++)
		if (cells[i] != drawn(i))
			return "somebody else wrote there";
	return vm_unmap(LAYOUT_WINDOW, 1) == 0 ? NULL : "it cannot be given back";
}

int main(void)
{
	const char *why = draw_and_look();

	(void)time_sleep_until(time_now() + 30 * MS, 0);
	if (!why)
		why = draw_and_look();
	if (!why && vm_map(LAYOUT_WINDOW, FRAME, 1, VM_READ | VM_EXEC, LAYOUT_CAP_SCREEN) == 0)
		why = "it can be executed";
	if (!why && vm_map(LAYOUT_WINDOW, 0xa0, 1, VM_READ, LAYOUT_CAP_SCREEN) == 0)
		why = "other frames can be mapped by it";
	bare_print(why ? "FAIL screen: %s\n" : "ok screen\n", why ? why : "");
	return why != NULL;
}
