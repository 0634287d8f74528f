LIBOS := bare
PROGRAMS := revoker stubborn
