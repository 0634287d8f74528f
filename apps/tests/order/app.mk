# Linked with every variant of the seam `order`, as order-VARIANT; libos/test/seams.mk does so for this machine.
LIBOS := bare
VARIANTS := order
