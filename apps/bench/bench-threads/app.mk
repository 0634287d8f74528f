LIBOS := posix sched=rr
