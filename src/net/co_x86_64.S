/* Switching stacks on x86-64 (System V psABI §3.2.1: the registers that a call preserves). */
#if defined(__x86_64__) && !defined(CO_UCONTEXT)
        .text

/* void co_context_switch(struct co_context *from, struct co_context *to)
 * The frame, from the stack pointer upwards: MXCSR and x87 control word, r15, r14, r13, r12, rbx,
 * rbp, return address. */
        .globl  co_context_switch
        .hidden co_context_switch
        .type   co_context_switch, @function
        .p2align 4
co_context_switch:
        .cfi_startproc
        endbr64
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbx, 0
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r12, 0
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r13, 0
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r14, 0
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r15, 0
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        stmxcsr (%rsp)
        fnstcw  4(%rsp)
        movq    %rsp, (%rdi)
        movq    (%rsi), %rsp
        ldmxcsr (%rsp)
        fldcw   4(%rsp)
        addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        popq    %r15
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r15
        popq    %r14
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r14
        popq    %r13
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r13
        popq    %r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r12
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbx
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbp
        ret
        .cfi_endproc
        .size   co_context_switch, . - co_context_switch

/* Where the first switch to a coroutine returns to: r12 is the function, r13 its argument. The
 * undefined return address ends every backtrace here. */
        .globl  co_context_begin
        .hidden co_context_begin
        .type   co_context_begin, @function
        .p2align 4
co_context_begin:
        .cfi_startproc
        .cfi_undefined %rip
        endbr64
        movq    %r13, %rdi
        xorl    %ebp, %ebp
        callq   *%r12
        ud2
        .cfi_endproc
        .size   co_context_begin, . - co_context_begin

/* Indirect branch tracking is supported; a shadow stack is not, because this code leaves it behind. */
        .section .note.gnu.property, "a"
        .p2align 3
        .long   4, 16, 5
        .asciz  "GNU"
        .long   0xc0000002, 4, 1, 0
#endif
        .section .note.GNU-stack, "", %progbits
