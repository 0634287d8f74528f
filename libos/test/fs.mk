# Host tests of the buffer cache and of the file systems: run by `make host-test`.
# Each is a program of its own: the components as they are, a disk in memory (test/fs/host.c), and the test.

FS_TEST_SRCS  := $(wildcard libos/fs/*.c) $(LIBOS_COMMON_buf:%=libos/buf/%.c) libos/buf/lru.c libos/test/fs/host.c libos/test/fs/exercise.c
FS_TEST_OBJS  := $(FS_TEST_SRCS:libos/%.c=$(O)/test/fs/obj/%.o)
FS_TESTS      := test_buf test_ext2 test_model test_fuzz test_faults test_conform test_crash test_raw test_log
FS_TEST_FLAGS := $(HOST_CFLAGS) $(SANITIZE) -Ilibos/include -Iexo/include -DDIR_OUT='"$(O)/test/fs"'

$(O)/test/fs/obj/%.o: libos/%.c $(MK) libos/test/fs.mk
	$(call host_compile,$(FS_TEST_FLAGS))

$(FS_TESTS:%=$(O)/test/fs/%): $(O)/test/fs/%: $(O)/test/fs/obj/test/fs/%.o $(FS_TEST_OBJS)
	$(Q)$(call say,HOSTLD) $(HOSTCC) $(SANITIZE) -o $@ $^

-include $(FS_TEST_OBJS:.o=.d) $(FS_TESTS:%=$(O)/test/fs/obj/test/fs/%.d)

HOST_TESTS += $(FS_TESTS:%=$(O)/test/fs/%)
