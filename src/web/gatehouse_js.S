/* The bytes of web/gatehouse.js, which every web role serves. */
        .section .rodata
        .globl  gatehouse_js
        .hidden gatehouse_js
        .globl  gatehouse_js_end
        .hidden gatehouse_js_end
gatehouse_js:
        .incbin "web/gatehouse.js"
gatehouse_js_end:
        .byte   0
        .section .note.GNU-stack, "", %progbits
