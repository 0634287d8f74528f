/*
 * region.h - marks a stretch of a program's execution by name, for `make profile REGION=` and `make
 *trace`.
 *
 *	region_begin("sort");
 *	qsort(...);
 *	region_end("sort");
 *
 * A mark is one `nop` and a line in a section that is not loaded, which tells tools where the nop
 *is: a program that nobody looks at pays one instruction.  Names are string literals.  What the
 *kernel does for the program in between counts as well; so do regions inside of regions.  Callers:
 *programs.
 */
#ifndef LIBOS_REGION_H
#define LIBOS_REGION_H

/*
 * An address, 'B' or 'E', and the name, padded to 8 bytes (read by scripts/profile).  The linker
 * keeps sections with such names as long as it keeps the code of the file, and keeps no code for
 * their sake.
 */
#define REGION_MARK(kind, name)                                                                    \
	__asm__ volatile("771: nop\n\t"                                                            \
			 ".pushsection .debug_regions, \"\", @progbits\n\t"                        \
			 ".quad 771b\n\t.byte '" kind "'\n\t.asciz \"" name "\"\n\t.balign 8\n\t"  \
			 ".popsection" ::                                                          \
				 : "memory")

#define region_begin(name) REGION_MARK("B", name)
#define region_end(name)   REGION_MARK("E", name)

#endif
