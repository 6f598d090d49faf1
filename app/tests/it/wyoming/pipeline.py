"""A pipeline as Home Assistant runs it over Wyoming: heard, understood, handled, spoken. Usage: pipeline.py PORT WAVE"""

import asyncio
import sys
import wave

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop, wav_to_chunks
from wyoming.client import AsyncTcpClient
from wyoming.handle import Handled, NotHandled
from wyoming.info import Describe, Info
from wyoming.intent import Intent, NotRecognized, Recognize
from wyoming.tts import Synthesize, SynthesizeVoice


async def main() -> None:
    async with AsyncTcpClient("127.0.0.1", int(sys.argv[1])) as client:

        async def until(kind):
            while True:
                event = await asyncio.wait_for(client.read_event(), 300)
                assert event is not None and event.type != "error", event
                if kind.is_type(event.type):
                    return kind.from_event(event)

        await client.write_event(Describe().event())
        info = await until(Info)
        assert info.handle[0].name == "ieum" and info.handle[0].models[0].languages == ["ko", "en"], info.handle
        assert info.intent[0].models[0].languages == ["ko", "en"], info.intent

        await client.write_event(Recognize(text="십 분 타이머 맞춰 줘", context={"language": "ko"}).event())
        intent = await until(Intent)
        assert intent.name == "timer.start", intent
        assert [(entity.name, entity.value) for entity in intent.entities] == [("duration", 600)], intent
        await client.write_event(Recognize(text="흐물렁").event())
        await until(NotRecognized)

        async def say(text, language, context):
            await client.write_event(Transcript(text=text, language=language, context=context).event())
            return await until(Handled)

        asked = await say("타이머 맞춰 줘", "ko", {"conversation_id": "c1", "mark": 7})
        assert asked.text == "몇 분으로 맞출까요?", asked
        assert asked.context == {"conversation_id": "c1", "mark": 7}, asked
        done = await say("십오 분", "ko", asked.context)
        assert done.text == "15분 타이머를 시작했어요.", done
        await client.write_event(Transcript(text="흐물렁", language="ko").event())
        assert (await until(NotHandled)).text

        if len(sys.argv) > 2:
            assert info.asr and info.tts, info
            with wave.open(sys.argv[2], "rb") as file:
                await client.write_event(Transcribe(language="en").event())
                for chunk in wav_to_chunks(file, 1024, start_event=True, stop_event=True):
                    await client.write_event(chunk.event())
            heard = await until(Transcript)
            assert "time" in heard.text.lower(), heard
            told = await say(heard.text, "en", {})
            voice = SynthesizeVoice(language="en")
            await client.write_event(Synthesize(text=told.text, voice=voice).event())
            start, size = await until(AudioStart), 0
            while True:
                event = await asyncio.wait_for(client.read_event(), 300)
                if AudioStop.is_type(event.type):
                    break
                size += len(AudioChunk.from_event(event).audio)
            assert size > start.rate, (told, size)
    print("all well")


asyncio.run(main())
