/* Widths that newlib's defaults for x86-64 leave too small for a real file system: it would make
 * dev_t, uid_t, gid_t and ino_t 16 bits wide.  Read by newlib's <sys/_types.h>; owns nothing else.
 */
#ifndef _MACHINE__TYPES_H
#define _MACHINE__TYPES_H

#include <machine/_default_types.h>

typedef unsigned long __dev_t;
typedef unsigned long __ino_t;
typedef unsigned int __uid_t;
typedef unsigned int __gid_t;
typedef unsigned long __fsblkcnt_t;
typedef unsigned long __fsfilcnt_t;

#define __machine_dev_t_defined
#define __machine_ino_t_defined
#define __machine_uid_t_defined
#define __machine_gid_t_defined
#define __machine_fsblkcnt_t_defined
#define __machine_fsfilcnt_t_defined

#endif
