/*
 * info.c - the info page.  Writers: boot code, page.c (free_frames), slot.c (ticks).
 */
#include "info.h"

struct exo_info info TABLE(info);
