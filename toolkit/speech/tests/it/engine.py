"""An engine of the library: hears how many bytes there were, says the text's bytes. Prints its port."""

import asyncio

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.info import AsrModel, AsrProgram, Attribution, Describe, Info, TtsProgram, TtsVoice
from wyoming.server import AsyncEventHandler, AsyncTcpServer
from wyoming.tts import Synthesize

WHO = {
    "name": "counter",
    "attribution": Attribution(name="", url=""),
    "installed": True,
    "description": None,
    "version": None,
}
INFO = Info(
    asr=[AsrProgram(models=[AsrModel(languages=["en_US", "ko"], **WHO)], **WHO)],
    tts=[TtsProgram(voices=[TtsVoice(languages=["ko-KR"], **WHO)], **WHO)],
)


class Handler(AsyncEventHandler):
    count = 0
    language = None

    async def handle_event(self, event: Event) -> bool:
        if Describe.is_type(event.type):
            await self.write_event(INFO.event())
        elif Transcribe.is_type(event.type):
            self.language = Transcribe.from_event(event).language
        elif AudioChunk.is_type(event.type):
            self.count += len(AudioChunk.from_event(event).audio)
        elif AudioStop.is_type(event.type):
            text = f"{self.count} bytes"
            await self.write_event(Transcript(text=text, language=self.language).event())
        elif Synthesize.is_type(event.type):
            audio = Synthesize.from_event(event).text.encode()
            form = {"rate": 16000, "width": 2, "channels": 1}
            await self.write_event(AudioStart(**form).event())
            await self.write_event(AudioChunk(audio=audio, **form).event())
            await self.write_event(AudioStop().event())
        return True


async def main() -> None:
    server = AsyncTcpServer("127.0.0.1", 0)
    await server.start(Handler)
    print(server._server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
