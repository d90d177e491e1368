"""Watches paths for being opened, by inotify(7): watch.py PATH...

Says so when it has begun. When its input ends, it prints each path that was
opened meanwhile, once.
"""

import ctypes
import os
import struct
import sys

IN_OPEN, IN_NONBLOCK, IN_CLOEXEC = 0x20, 0o4000, 0o2000000

libc = ctypes.CDLL(None, use_errno=True)
fd = libc.inotify_init1(IN_NONBLOCK | IN_CLOEXEC)
paths = {}
for path in sys.argv[1:]:
    watch = libc.inotify_add_watch(fd, os.fsencode(path), IN_OPEN)
    if fd < 0 or watch < 0:
        sys.exit("%s: %s" % (path, os.strerror(ctypes.get_errno())))
    paths[watch] = path
print("watching", flush=True)
sys.stdin.read()
opened = set()
try:
    while True:
        events = os.read(fd, 65536)
        while events:
            watch, _, _, length = struct.unpack_from("iIII", events)
            opened.add(paths[watch])
            events = events[16 + length :]
except BlockingIOError:
    print("\n".join(sorted(opened)))
