LIBOS := bare sched=rr
PROGRAMS := commit
