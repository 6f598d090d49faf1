"""A microphone that hears a file once, faster than it was spoken, and then silence. Usage: microphone.py FILE"""

import sys
import time
from pathlib import Path

CHUNK = 2048

speech = bytes(CHUNK * 16) + Path(sys.argv[1]).read_bytes()
speech += bytes(-len(speech) % CHUNK)
place = 0
while True:
    chunk = speech[place : place + CHUNK] or bytes(CHUNK)
    place += CHUNK
    sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()
    time.sleep(0.02)
