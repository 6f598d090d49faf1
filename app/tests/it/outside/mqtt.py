"""A device as paho-mqtt makes one, by every version and transport. Usage: mqtt.py MQTT_PORT WEB_PORT DEVICE SECRET"""

import json
import sys
import threading

import paho.mqtt.client as mqtt

port, web, device, secret = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]


def come(protocol, transport, secret):
    client = mqtt.Client(
        mqtt.CallbackAPIVersion.VERSION2, client_id=device, protocol=protocol, transport=transport
    )
    client.username_pw_set(device, secret)
    if transport == "websockets":
        client.ws_set_options(path="/mqtt")
    answers, changed = [], threading.Condition()

    def heard(_client, _data, message):
        with changed:
            answers.append((message.topic, message.qos, json.loads(message.payload)))
            changed.notify()

    came, ready = [], threading.Event()

    def connected(client, _data, _flags, reason, _properties):
        came.append(reason.is_failure)
        if reason.is_failure:
            ready.set()
        else:
            client.subscribe(f"device/{device}/response", qos=1)

    client.on_message = heard
    client.on_connect = connected
    client.on_subscribe = lambda *_: ready.set()
    client.connect("127.0.0.1", port if transport == "tcp" else web)
    client.loop_start()
    assert ready.wait(120), "it was answered"

    def answer(turn):
        with changed:
            there = lambda: [one for one in answers if one[2]["payload"].get("turnId") == turn]
            assert changed.wait_for(there, 120), (turn, answers)
            return there()[0]

    return client, came[0], answer


for protocol in (mqtt.MQTTv311, mqtt.MQTTv5):
    for transport in ("tcp", "websockets"):
        name = f"{protocol}-{transport}"
        client, refused, answer = come(protocol, transport, secret)
        assert not refused
        # The seeds' event: a text among what sensors notice.
        event = {"messageId": f"e-{name}", "eventType": "text", "data": {"text": "지금 몇 시야?"}}
        client.publish(f"device/{device}/event", json.dumps(event), qos=1).wait_for_publish(120)
        topic, qos, told = answer(f"e-{name}")
        assert (topic, qos, told["type"]) == (f"device/{device}/response", 1, "DIALOG_RESPONSE"), told
        assert told["payload"]["intent"] == "time.query" and told["payload"]["text"].startswith("지금은 "), told
        text = {"messageId": f"t-{name}", "text": "what time is it"}
        client.publish(f"device/{device}/text", json.dumps(text), qos=1).wait_for_publish(120)
        assert answer(f"t-{name}")[2]["payload"]["language"] == "en"
        wrong = {"messageId": f"w-{name}", "text": 5}
        client.publish(f"device/{device}/text", json.dumps(wrong), qos=1).wait_for_publish(120)
        assert answer(f"w-{name}")[2]["payload"]["reason"] == "voice.message.invalid"
        client.disconnect()
        client.loop_stop()
        thief, refused, _ = come(protocol, transport, "guess")
        assert refused, "a wrong secret opened the door"
        thief.loop_stop()
print("all well")
