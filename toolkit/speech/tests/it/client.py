"""Asks a server as the library's own client does. Usage: client.py PORT"""

import asyncio
import sys

from wyoming.asr import Transcribe, Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
    SynthesizeVoice,
)


async def main() -> None:
    async with AsyncTcpClient("127.0.0.1", int(sys.argv[1])) as client:

        async def read():
            event = await asyncio.wait_for(client.read_event(), 20)
            assert event is not None, "the connection ended"
            return event

        await client.write_event(Describe().event())
        info = Info.from_event(await read())
        assert info.asr[0].models[0].languages == ["en"], info.asr
        assert info.asr[0].supports_transcript_streaming
        assert [voice.languages for voice in info.tts[0].voices] == [["ko"], ["en"]], info.tts
        assert info.tts[0].supports_synthesize_streaming

        await client.write_event(Ping(text="안녕").event())
        assert Pong.from_event(await read()).text == "안녕"

        await client.write_event(Transcribe(language="en").event())
        await client.write_event(AudioStart(rate=48000, width=2, channels=2).event())
        for _ in range(20):
            chunk = AudioChunk(rate=48000, width=2, channels=2, audio=bytes(19200))
            await client.write_event(chunk.event())
        await client.write_event(AudioStop().event())
        kinds, told = [], ""
        while not kinds or kinds[-1] != "transcript-stop":
            event = await read()
            kinds.append(event.type)
            if TranscriptChunk.is_type(event.type):
                told += TranscriptChunk.from_event(event).text
            if Transcript.is_type(event.type):
                transcript = Transcript.from_event(event)
        assert kinds[0] == "transcript-start" and kinds[-2] == "transcript", kinds
        assert TranscriptStart.is_type(kinds[0]) and TranscriptStop.is_type(kinds[-1])
        assert transcript.text == "heard 20 tenths", transcript
        assert told.startswith("heard"), told

        await client.write_event(Synthesize(text="hello", voice=SynthesizeVoice(language="en")).event())
        start = AudioStart.from_event(await read())
        assert (start.rate, start.width, start.channels) == (22050, 2, 1), start
        assert len(AudioChunk.from_event(await read()).audio) == 10
        assert AudioStop.is_type((await read()).type)

        await client.write_event(SynthesizeStart().event())
        await client.write_event(SynthesizeChunk(text="One. Two").event())
        await client.write_event(Synthesize(text="One. Two").event())
        await client.write_event(SynthesizeStop().event())
        sizes = []
        while True:
            event = await read()
            if AudioChunk.is_type(event.type):
                sizes.append(len(AudioChunk.from_event(event).audio))
            if SynthesizeStopped.is_type(event.type):
                break
        assert sizes == [8, 6], sizes

        await client.write_event(AudioStart(rate=7, width=2, channels=1).event())
        error = Error.from_event(await read())
        assert error.code == "speech.audio", error
    print("all well")


asyncio.run(main())
