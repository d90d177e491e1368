"""A program that knows nothing of filemap and shares memory as Python has it.

shm.py attach NAME OFFSET TEXT   multiprocessing.shared_memory: prints as many
                                 bytes as TEXT has, then puts TEXT there
shm.py map PATH OFFSET TEXT      the same with mmap
shm.py create NAME SIZE TEXT     makes an object that begins with TEXT, tells so,
                                 and removes it when its input ends

Python's resource tracker removes what was attached when the program ends,
unless Python is 3.13 or later and told not to.
"""

import mmap
import sys
from multiprocessing import shared_memory


def exchange(memory, offset, text):
    end = offset + len(text)
    sys.stdout.buffer.write(bytes(memory[offset:end]))
    memory[offset:end] = text


def main(verb, name, number, text):
    number, text = int(number), text.encode()
    if verb == "attach":
        shm = shared_memory.SharedMemory(name=name)
        exchange(shm.buf, number, text)
        shm.close()
    elif verb == "map":
        with open(name, "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
            exchange(memory, number, text)
    elif verb == "create":
        shm = shared_memory.SharedMemory(name=name, create=True, size=number)
        shm.buf[: len(text)] = text
        print("created", flush=True)
        sys.stdin.read()
        sys.stdout.buffer.write(bytes(shm.buf[: len(text)]))
        shm.close()
        shm.unlink()


main(*sys.argv[1:])
