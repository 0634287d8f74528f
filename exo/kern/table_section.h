/*
 * table_section.h - where the arrays that programs can read are placed.
 *
 * In the kernel each array is a section of its own, which the linker puts page-aligned into the
 * table window (EXO_TABLES_KERNEL); boot backs them with memory only as far as they are used.  The
 * name begins with .bss so that no compiler stores half a gigabyte of zeros in an object file.  In
 * host builds and for the prover they are plain arrays.
 */
#ifndef KERN_TABLE_SECTION_H
#define KERN_TABLE_SECTION_H

#if __STDC_HOSTED__
#define TABLE(name)
#else
#define TABLE(name) __attribute__((section(".bss..tables." #name), aligned(4096)))
#endif

#endif
