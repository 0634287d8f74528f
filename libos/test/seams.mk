# Host tests of the seams with policies, each suite once with every variant there is: a new file in
# libos/buf or libos/order is tested without being named here.  Read after fs.mk's siblings, by name.

SEAM_BUF_TESTS   := $(patsubst %,$(O)/test/seams/buf-%,$(call libos_variants,buf))
SEAM_ORDER_TESTS := $(patsubst %,$(O)/test/seams/order-%,$(call libos_variants,order))
SEAM_FLAGS       := $(HOST_CFLAGS) $(SANITIZE) -Ilibos/include -DDIR_OUT='"$(O)/test/seams"'
seam_objs         = $(patsubst %.c,$(O)/test/seams/obj/%.o,$(1))

$(O)/test/seams/obj/%.o: %.c $(MK) libos/test/seams.mk
	$(call host_compile,$(SEAM_FLAGS))

$(SEAM_BUF_TESTS): $(O)/test/seams/buf-%: $(call seam_objs,libos/buf/%.c \
		$(LIBOS_COMMON_buf:%=libos/buf/%.c) $(wildcard libos/fs/ext2*.c) libos/test/fs/host.c \
		apps/tests/buf/suite.c apps/tests/buf/behaviour.c libos/test/seams/buf_host.c)
	$(Q)$(call say,HOSTLD) $(HOSTCC) $(SANITIZE) -o $@ $^

$(SEAM_ORDER_TESTS): $(O)/test/seams/order-%: $(call seam_objs,libos/order/%.c libos/order/queue.c \
		apps/tests/order/suite.c libos/test/seams/order_host.c)
	$(Q)$(call say,HOSTLD) $(HOSTCC) $(SANITIZE) -o $@ $^

-include $(shell find $(O)/test/seams/obj -name '*.d' 2>/dev/null)

HOST_TESTS += $(SEAM_BUF_TESTS) $(SEAM_ORDER_TESTS)

CONFORMANCE := $(O)/test/fs/test_conform $(SEAM_BUF_TESTS) $(SEAM_ORDER_TESTS)

# What is linked into programs; made late, since apps.mk, which knows the programs, is read after this.
SEAM_LINKED := $(O)/test/seams/linked
$(SEAM_LINKED): libos/test/seams/linked.py $(patsubst %,$(O)/apps/bin/%,cat init rawdisk buf-arc hello-posix bench-threads) $(LIBOS_ARCHIVES)
	$(Q)mkdir -p $(@D) && printf '#!/bin/sh\nexec $(PYTHON) %s %s\n' $< $(O) >$@ && chmod +x $@
HOST_TESTS += $(SEAM_LINKED)
