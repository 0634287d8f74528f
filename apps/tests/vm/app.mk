# The conformance suite of the seam `vm`, linked with every variant of it, as vm-VARIANT.
LIBOS := bare
VARIANTS := vm
