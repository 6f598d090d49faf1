"""A plugin that does whatever no plugin should: eats, hangs, garbles, fails, and comes back late."""

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MANNERS = ("fine", "eat", "hang", "garble", "mute", "loud", "fail")
DESCRIPTION = {
    "name": "odd",
    "intents": [f"odd.{manner}" for manner in MANNERS],
    "sentences": {"en": {f"odd.{manner}": [f"oddly {manner}"] for manner in MANNERS}},
}
# A sentence that cannot be read does not take the others with it.
DESCRIPTION["sentences"]["en"]["odd.fine"].append("oddly (broken")
EATEN = []


def eat():
    while True:
        EATEN.append(b"x" * (4 << 20))
        time.sleep(0.005)


class Links(BaseHTTPRequestHandler):
    def do_POST(self):
        ask = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path.endswith("/describe"):
            return self.answer(DESCRIPTION)
        manner = ask["meaning"]["intent"].removeprefix("odd.")
        if manner == "eat":
            eat()
        if manner == "hang":
            time.sleep(3600)
        if manner == "fail":
            raise ValueError("as it was asked to")
        texts = {"fine": "fine", "mute": "", "loud": "x" * 3000}
        self.answer({"text": texts[manner]} if manner in texts else ["not", "an", "answer"])

    def answer(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


# Started again it knows one sentence more, and waits as long as a test looks at what is said meanwhile.
if os.path.exists("was-here"):
    DESCRIPTION["sentences"]["en"]["odd.fine"].append("oddly back again")
    while os.path.exists("held"):
        time.sleep(0.05)
open("was-here", "w").close()
server = ThreadingHTTPServer(("127.0.0.1", 0), Links)
server.daemon_threads = True
print("oddly late", file=sys.stderr, flush=True)
print(f"ieum-plugin http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
