"""One module a family of files. `registry` says which function checks what."""
