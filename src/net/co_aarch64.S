/* Switching stacks on aarch64 (AAPCS64 §6.1: the registers that a call preserves). */
#if defined(__aarch64__) && !defined(CO_UCONTEXT)
        .text

/* void co_context_switch(struct co_context *from, struct co_context *to)
 * The frame, from the stack pointer upwards: x19…x30, d8…d15, FPCR. */
        .globl  co_context_switch
        .hidden co_context_switch
        .type   co_context_switch, %function
        .p2align 4
co_context_switch:
        .cfi_startproc
        hint    #34                     /* bti c */
        sub     sp, sp, #176
        .cfi_adjust_cfa_offset 176
        stp     x19, x20, [sp, #0]
        stp     x21, x22, [sp, #16]
        stp     x23, x24, [sp, #32]
        stp     x25, x26, [sp, #48]
        stp     x27, x28, [sp, #64]
        stp     x29, x30, [sp, #80]
        .cfi_rel_offset x29, 80
        .cfi_rel_offset x30, 88
        stp     d8, d9, [sp, #96]
        stp     d10, d11, [sp, #112]
        stp     d12, d13, [sp, #128]
        stp     d14, d15, [sp, #144]
        mrs     x9, fpcr
        str     x9, [sp, #160]
        mov     x9, sp
        str     x9, [x0]
        ldr     x9, [x1]
        mov     sp, x9
        ldr     x9, [sp, #160]
        msr     fpcr, x9
        ldp     d14, d15, [sp, #144]
        ldp     d12, d13, [sp, #128]
        ldp     d10, d11, [sp, #112]
        ldp     d8, d9, [sp, #96]
        ldp     x29, x30, [sp, #80]
        .cfi_restore x29
        .cfi_restore x30
        ldp     x27, x28, [sp, #64]
        ldp     x25, x26, [sp, #48]
        ldp     x23, x24, [sp, #32]
        ldp     x21, x22, [sp, #16]
        ldp     x19, x20, [sp, #0]
        add     sp, sp, #176
        .cfi_adjust_cfa_offset -176
        ret
        .cfi_endproc
        .size   co_context_switch, . - co_context_switch

/* Where the first switch to a coroutine returns to: x19 is the function, x20 its argument. The
 * undefined return address ends every backtrace here. */
        .globl  co_context_begin
        .hidden co_context_begin
        .type   co_context_begin, %function
        .p2align 4
co_context_begin:
        .cfi_startproc
        .cfi_undefined x30
        hint    #34
        mov     x0, x20
        mov     x29, xzr
        blr     x19
        brk     #1
        .cfi_endproc
        .size   co_context_begin, . - co_context_begin

        .section .note.gnu.property, "a"
        .p2align 3
        .long   4, 16, 5
        .asciz  "GNU"
        .long   0xc0000000, 4, 1, 0     /* branch target identification */
#endif
        .section .note.GNU-stack, "", %progbits
