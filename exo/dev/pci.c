/*
 * pci.c - owns the PCI configuration ports (mechanism 1).
 *
 * Only bus 0 is searched: that is where chipsets keep their IDE function.  Called while booting.
 */
#include "../x86/io.h"
#include "pci.h"

enum { ADDRESS = 0xcf8, DATA = 0xcfc, CLASS = 8, FUNCTIONS = 32 * 8 };

uint32_t pci_read(struct pci_function f, uint8_t offset)
{
	outl(ADDRESS, f.address | (offset & 0xfc));
	return inl(DATA);
}

void pci_write(struct pci_function f, uint8_t offset, uint32_t value)
{
	outl(ADDRESS, f.address | (offset & 0xfc));
	outl(DATA, value);
}

int pci_find(uint8_t class, uint8_t subclass, struct pci_function *out)
{
	for (uint32_t i = 0; i < FUNCTIONS; i++) {
		const struct pci_function f = {1u << 31 | i << 8};
		const uint32_t id = pci_read(f, 0);

		if ((id & 0xffff) == 0xffff)
			continue;
		if (pci_read(f, CLASS) >> 16 == ((uint32_t) class << 8 | subclass)) {
			*out = f;
			return 1;
		}
	}
	return 0;
}
