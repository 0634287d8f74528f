/*
 * pci.h - just enough PCI: find a function by class, read and write its configuration.
 */
#ifndef DEV_PCI_H
#define DEV_PCI_H

#include <stdint.h>

struct pci_function {
	uint32_t address; /* as the configuration port wants it, register 0 */
};

/* First function of this class and subclass on bus 0; 0: there is none, and *out is untouched. */
int pci_find(uint8_t class, uint8_t subclass, struct pci_function *out);

/* 32-bit register at `offset`, a multiple of 4 below 256. */
uint32_t pci_read(struct pci_function f, uint8_t offset);
void pci_write(struct pci_function f, uint8_t offset, uint32_t value);

#endif
