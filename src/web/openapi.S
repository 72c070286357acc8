/* The bytes of docs/openapi.json, which the HTTP API serves. */
        .section .rodata
        .globl  openapi_json
        .hidden openapi_json
        .globl  openapi_json_end
        .hidden openapi_json_end
openapi_json:
        .incbin "docs/openapi.json"
openapi_json_end:
        .byte   0
        .section .note.GNU-stack, "", %progbits
