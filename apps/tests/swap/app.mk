LIBOS := bare vm=swap
PROGRAMS := swapper swapfiles swapthreads taker
LIBOS_swapfiles := posix vm=swap
LIBOS_swapthreads := posix vm=swap sched=rr
LIBOS_taker := bare
