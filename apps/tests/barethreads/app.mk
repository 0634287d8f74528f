LIBOS := bare sched=rr
