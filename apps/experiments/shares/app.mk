LIBOS := bare sched=stride
PROGRAMS := shares
