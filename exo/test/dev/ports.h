/*
 * ports.h - stands for x86/io.h and x86/paging.h where dev/ is compiled for ide_test.c (by
 * -include): the same functions, played by the test.
 */
#ifndef TEST_DEV_PORTS_H
#define TEST_DEV_PORTS_H

#include <stdint.h>

#define X86_IO_H
#define X86_PAGING_H

void outb(uint16_t port, uint8_t value);
void outl(uint16_t port, uint32_t value);
uint8_t inb(uint16_t port);
uint32_t inl(uint16_t port);
void insl(uint16_t port, void *to, uint32_t count);
void outsl(uint16_t port, const void *from, uint32_t count);
uint64_t x86_phys(const void *p);

#endif
