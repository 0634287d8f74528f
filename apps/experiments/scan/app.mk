LIBOS := bare buf=lru
PROGRAMS := scan
