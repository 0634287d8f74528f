LIBOS := bare buf=lru
PROGRAMS := cache pressure
