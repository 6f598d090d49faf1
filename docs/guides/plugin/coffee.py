#!/usr/bin/env python3
"""A plugin that takes coffee orders, in Korean and English, with Python's standard library alone.

The platform starts it (see docs/guides/add-a-plugin.md):

    [voice.plugins.coffee]
    command = ["python3", "docs/guides/plugin/coffee.py"]
    memory = "64 MiB"
    timeout = "800ms"
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DRINKS = {"americano": ("아메리카노", "americano"), "latte": ("라떼", "latte"), "espresso": ("에스프레소", "espresso")}

# What the plugin does, and how that is said. {count} and {drink} are slots; a list says what one may hold.
DESCRIPTION = {
    "name": "coffee",
    "intents": ["coffee.order"],
    "sentences": {
        "ko": {
            "coffee.order": [
                "{drink} {count}[ ]잔 (주문해|시켜)[ ]줘",
                "{drink} [좀] (주문해|시켜)[ ]줘",
                "커피 [{count}[ ]잔] (주문해|시켜)[ ]줘",
            ]
        },
        "en": {
            "coffee.order": [
                "(order|get me|i'd like) [a|an] {drink} [please]",
                "(order|get me|i'd like) {count} {drink} [please]",
                "(order|get me|i'd like) [a|an|{count}] (coffee|coffees) [please]",
            ]
        },
    },
    "lists": {
        "ko": {
            "count": {"range": {"from": 1, "to": 20}},
            "drink": {"values": [{"in": said, "out": name} for name, (said, _) in DRINKS.items()]},
        },
        "en": {
            "count": {"range": {"from": 1, "to": 20}},
            "drink": {
                "values": [{"in": said + more, "out": name} for name, (_, said) in DRINKS.items() for more in ("", "s")]
            },
        },
    },
}


def slot(ask, name):
    """Returns what a slot stands for, or None where nothing was said for it."""
    value = ask["meaning"].get("slots", {}).get(name, {}).get("value", {})
    return value.get("text", value.get("number"))


def drink_of(text):
    """Finds a drink in what was answered to the question."""
    said = (text or "").lower()
    return next((name for name, words in DRINKS.items() if any(word in said for word in (name, *words))), None)


def handle(ask):
    """Answers one order. It may be sent twice, so it does nothing: what is to happen once is an effect."""
    korean = ask["language"] == "ko"
    drink = drink_of(slot(ask, "drink"))
    if drink is None:
        names = [words[0 if korean else 1] for words in DRINKS.values()]
        text = f"어떤 커피를 드릴까요? {', '.join(names)}" if korean else f"Which coffee: {', '.join(names)}?"
        return {"text": text, "missing": "drink"}
    count = int(slot(ask, "count") or 1)
    if korean:
        return {"text": f"{DRINKS[drink][0]} {count}잔을 주문했어요."}
    return {"text": f"I ordered {count} {DRINKS[drink][1]}{'s' if count > 1 else ''}."}


class Links(BaseHTTPRequestHandler):
    """Answers the contract voice.plugin as links are spoken over HTTP."""

    protocol_version = "HTTP/1.1"
    # The head and the body of an answer go out at once, not after an acknowledgement of the first.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/links/voice.plugin/describe":
            self.answer(200, DESCRIPTION)
        elif self.path == "/links/voice.plugin/handle":
            self.answer(200, handle(json.loads(body)))
        else:
            self.answer(404, {})

    def answer(self, status, value):
        body = json.dumps(value, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Says nothing of each request; what is printed here stands in the platform's log."""


if __name__ == "__main__":
    # Port 0 is any that is free; a plugin that somebody else starts is given one: python3 coffee.py 7001
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    server = ThreadingHTTPServer(("127.0.0.1", port), Links)
    server.daemon_threads = True
    # The one line that the platform waits for.
    print(f"ieum-plugin http://127.0.0.1:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)
