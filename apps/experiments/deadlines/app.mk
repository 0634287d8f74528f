LIBOS := bare sched=edf
PROGRAMS := deadlines
