# Linked with every variant of the seam `buf`, as buf-VARIANT; libos/test/seams.mk does so for this machine.
LIBOS := bare
VARIANTS := buf
