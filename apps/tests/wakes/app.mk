LIBOS := bare
