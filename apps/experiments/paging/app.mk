# paging has the general policy, the clock of vm=swap; paging-own has its own.
LIBOS := bare vm=swap
PROGRAMS := paging
LIBOS_paging-own := bare vm=swap
$(eval $(call apps_program,paging-own,$(wildcard apps/experiments/paging/*.c)))
