LIBOS := bare
PROGRAMS := revoker stubborn wants
