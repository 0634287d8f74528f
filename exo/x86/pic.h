/*
 * pic.h - the two old interrupt controllers, which IDE, COM1 and the keyboard are wired to.
 */
#ifndef X86_PIC_H
#define X86_PIC_H

enum { PIC_TIMER = 0, PIC_KEYBOARD = 1, PIC_COM1 = 4, PIC_IDE0 = 14, PIC_IDE1 = 15 };

/* Moves their vectors to VECTOR_PIC and lets the lines above through. */
void pic_init(void);

/* 1 where the interrupt was a glitch of the line and must not be handled. */
int pic_spurious(unsigned irq);

/* The interrupt is handled; the controller may send the next. */
void pic_done(unsigned irq);

#endif
