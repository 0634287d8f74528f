LIBOS := bare vm=swap
