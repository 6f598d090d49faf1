"""A microphone that hears silence, and a file once it is there, faster than it was spoken. Usage: microphone.py FILE"""

import sys
import time
from pathlib import Path

CHUNK = 2048

place, speech = Path(sys.argv[1]), b""
heard = False
while True:
    if not heard and place.exists():
        speech = bytes(CHUNK * 16) + place.read_bytes()
        heard = True
    chunk, speech = speech[:CHUNK], speech[CHUNK:]
    sys.stdout.buffer.write(chunk.ljust(CHUNK, b"\0"))
    sys.stdout.buffer.flush()
    time.sleep(0.02)
