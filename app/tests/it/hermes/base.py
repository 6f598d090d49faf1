"""Programs of Rhasspy at our base station. Usage: base.py MQTT_PORT DEVICE SECRET [WAVE]"""

import asyncio
import io
import sys
import wave

import paho.mqtt.client as mqtt
from rhasspyhermes.asr import AsrStartListening, AsrStopListening, AsrTextCaptured
from rhasspyhermes.audioserver import AudioFrame, AudioPlayBytes, AudioPlayFinished
from rhasspyhermes.client import HermesClient
from rhasspyhermes.dialogue import (
    DialogueAction,
    DialogueContinueSession,
    DialogueEndSession,
    DialogueError,
    DialogueIntentNotRecognized,
    DialogueNotification,
    DialogueSessionEnded,
    DialogueSessionQueued,
    DialogueSessionStarted,
    DialogueStartSession,
)
from rhasspyhermes.nlu import NluIntent, NluIntentNotRecognized, NluQuery
from rhasspyhermes.tts import TtsSay, TtsSayFinished
from rhasspyhermes.wake import HotwordDetected, HotwordToggleOff, HotwordToggleOn

PATIENCE = 180


class Watcher(HermesClient):
    """Keeps what it is told, and plays what is to be played."""

    def __init__(self, client):
        super().__init__("watcher", client)
        self.told = []
        self.news = asyncio.Condition()
        self.subscribe(
            AsrStartListening, AsrStopListening, AsrTextCaptured, AudioPlayBytes, DialogueError,
            DialogueIntentNotRecognized, DialogueSessionEnded, DialogueSessionQueued, DialogueSessionStarted,
            NluIntent, NluIntentNotRecognized, TtsSay, TtsSayFinished, HotwordToggleOff, HotwordToggleOn,
        )

    async def on_message(self, message, site_id=None, session_id=None, topic=None):
        if isinstance(message, AudioPlayBytes):
            message.site_id = site_id
            played = AudioPlayFinished(id=AudioPlayBytes.get_request_id(topic))
            yield played, {"site_id": site_id}
        async with self.news:
            self.told.append(message)
            self.news.notify_all()

    async def next(self, kind, **wanted):
        """Takes the first message of a kind that says all this."""

        def is_meant(message):
            return isinstance(message, kind) and all(getattr(message, k) == v for k, v in wanted.items())

        async with self.news:
            try:
                await asyncio.wait_for(
                    self.news.wait_for(lambda: any(map(is_meant, self.told))), PATIENCE
                )
            except asyncio.TimeoutError:
                raise AssertionError(f"no {kind.__name__} {wanted}; there are {self.told}")
            found = next(message for message in self.told if is_meant(message))
            self.told.remove(found)
            return found


async def understands(watcher):
    watcher.publish(NluQuery(input="십 분 타이머 맞춰 줘", site_id="hall", id="q1", lang="ko", custom_data="x"))
    intent = await watcher.next(NluIntent, id="q1")
    assert intent.intent.intent_name == "timer.start" and intent.intent.confidence_score == 1.0, intent
    slot = intent.slots[0]
    assert (slot.slot_name, slot.value["value"], slot.raw_value) == ("duration", 600, "십 분"), intent
    assert (slot.range.start, slot.range.end) == (0, 3), intent
    assert (intent.site_id, intent.custom_data) == ("hall", "x"), intent
    watcher.publish(NluQuery(input="흐물렁", site_id="hall", id="q2"))
    assert (await watcher.next(NluIntentNotRecognized, id="q2")).input == "흐물렁"
    watcher.publish(NluQuery(input="what time is it", id="q3", intent_filter=["timer.start"]))
    await watcher.next(NluIntentNotRecognized, id="q3")


async def leads(watcher):
    """A wake word: the dialogue of the platform leads, asks back and ends."""
    watcher.publish(HotwordDetected(model_id="ieum", site_id="hall", lang="ko"), wakeword_id="default")
    session = (await watcher.next(DialogueSessionStarted, site_id="hall")).session_id
    await watcher.next(HotwordToggleOff, site_id="hall")
    await watcher.next(AsrStartListening, session_id=session)

    async def hear(text):
        watcher.publish(AsrTextCaptured(text=text, likelihood=1, seconds=1, site_id="hall", session_id=session))

    await hear("타이머 맞춰 줘")
    assert (await watcher.next(NluIntent, session_id=session)).intent.intent_name == "timer.start"
    say = await watcher.next(TtsSay, session_id=session)
    assert say.text == "몇 분으로 맞출까요?", say
    await watcher.next(TtsSayFinished, id=say.id)
    await watcher.next(AsrStartListening, session_id=session)
    await hear("3초")
    say = await watcher.next(TtsSay, session_id=session)
    assert say.text == "3초 타이머를 시작했어요.", say
    ended = await watcher.next(DialogueSessionEnded, session_id=session)
    assert ended.termination.reason.value == "nominal", ended
    await watcher.next(HotwordToggleOn, site_id="hall")
    rang = await watcher.next(TtsSay, site_id="hall")
    assert rang.text == "3초 타이머가 끝났어요.", rang


async def is_led(watcher):
    """A program begins: it is told what was understood, and goes on or ends; another one waits meanwhile."""
    ask = DialogueAction(can_be_enqueued=True, text="무엇을 도와드릴까요?", send_intent_not_recognized=True)
    watcher.publish(DialogueStartSession(init=ask, site_id="bath", custom_data="mine", lang="ko"))
    started = await watcher.next(DialogueSessionStarted, site_id="bath")
    session = started.session_id
    assert started.custom_data == "mine", started
    assert (await watcher.next(TtsSay, session_id=session)).text == "무엇을 도와드릴까요?"
    await watcher.next(AsrStartListening, session_id=session)
    note = DialogueNotification(text="빨래가 끝났어요.")
    watcher.publish(DialogueStartSession(init=note, site_id="bath", custom_data="later"))
    queued = await watcher.next(DialogueSessionQueued, site_id="bath")
    refused = DialogueAction(can_be_enqueued=False)
    watcher.publish(DialogueStartSession(init=refused, site_id="bath"))
    assert "another one is in hand" in (await watcher.next(DialogueError, site_id="bath")).error

    def hear(text):
        watcher.publish(AsrTextCaptured(text=text, likelihood=1, seconds=1, site_id="bath", session_id=session))

    hear("흐물렁")
    await watcher.next(NluIntentNotRecognized, session_id=session)
    assert (await watcher.next(DialogueIntentNotRecognized, session_id=session)).custom_data == "mine"
    watcher.publish(DialogueContinueSession(session_id=session, text="다시 한 번?"))
    assert (await watcher.next(TtsSay, session_id=session)).text == "다시 한 번?"
    await watcher.next(AsrStartListening, session_id=session)
    hear("지금 몇 시야?")
    assert (await watcher.next(NluIntent, session_id=session)).intent.intent_name == "time.query"
    watcher.publish(DialogueEndSession(session_id=session, text="안녕히 가세요."))
    assert (await watcher.next(TtsSay, session_id=session)).text == "안녕히 가세요."
    ended = await watcher.next(DialogueSessionEnded, session_id=session)
    assert (ended.custom_data, ended.termination.reason.value) == ("mine", "nominal"), ended
    begun = await watcher.next(DialogueSessionStarted, session_id=queued.session_id)
    assert begun.custom_data == "later", begun
    assert (await watcher.next(TtsSay, session_id=queued.session_id)).text == "빨래가 끝났어요."
    await watcher.next(DialogueSessionEnded, session_id=queued.session_id)


async def hears(watcher, clip):
    """Sound in, sound out: what the microphone hears is answered at the loudspeaker."""
    watcher.publish(TtsSay(text="hello there", site_id="den", lang="en", id="s1"))
    spoken = await watcher.next(AudioPlayBytes, site_id="den")
    with wave.open(io.BytesIO(spoken.wav_bytes)) as file:
        assert file.getnframes() > file.getframerate() / 4
    await watcher.next(TtsSayFinished, id="s1")
    watcher.publish(HotwordDetected(model_id="ieum", site_id="den", lang="en"), wakeword_id="default")
    session = (await watcher.next(DialogueSessionStarted, site_id="den")).session_id
    await watcher.next(AsrStartListening, session_id=session)
    with wave.open(clip) as file:
        rate, samples = file.getframerate(), file.readframes(10_000_000)
    silence = bytes(rate * 2)
    sound = silence + samples + silence + silence
    for at in range(0, len(sound), 4096):
        with io.BytesIO() as frame:
            with wave.open(frame, "wb") as file:
                file.setframerate(rate)
                file.setsampwidth(2)
                file.setnchannels(1)
                file.writeframes(sound[at : at + 4096])
            watcher.publish(AudioFrame(wav_bytes=frame.getvalue()), site_id="den")
        await asyncio.sleep(0.01)
    heard = await watcher.next(AsrTextCaptured, session_id=session)
    assert "time" in heard.text.lower(), heard
    assert (await watcher.next(NluIntent, session_id=session)).intent.intent_name == "time.query"
    assert (await watcher.next(TtsSay, session_id=session)).text.startswith("It")
    await watcher.next(AudioPlayBytes, site_id="den")
    await watcher.next(DialogueSessionEnded, session_id=session)


async def main():
    port, device, secret = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    client = mqtt.Client(client_id=device)
    client.username_pw_set(device, secret)
    watcher = Watcher(client)
    watcher.loop = asyncio.get_running_loop()
    client.connect("127.0.0.1", port)
    client.loop_start()
    await asyncio.wait_for(watcher.mqtt_connected_event.wait(), PATIENCE)
    reading = asyncio.create_task(watcher.handle_messages_async())
    await understands(watcher)
    await leads(watcher)
    await is_led(watcher)
    if len(sys.argv) > 4:
        await hears(watcher, sys.argv[4])
    reading.cancel()
    client.loop_stop()
    print("all well")


asyncio.run(main())
