"""What runs in the box: one process reads one file's bytes and says what it found, as bounded JSON.

Everything here imports the standard library, the vocabulary of findings, and the one parser it needs when it
needs it. It never opens a file, a socket or a process: the bytes come by stdin, the answer goes by stdout.
"""
