/* The parts of a device number. */
#ifndef _SYS_SYSMACROS_H
#define _SYS_SYSMACROS_H

#define major(dev)	 ((unsigned int)((dev) >> 32))
#define minor(dev)	 ((unsigned int)(dev))
#define makedev(maj, mi) (((unsigned long)(maj) << 32) | (unsigned int)(mi))

#endif
