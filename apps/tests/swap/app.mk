LIBOS := bare vm=swap
PROGRAMS := swapper swapfiles taker
LIBOS_swapfiles := posix vm=swap
LIBOS_taker := bare
