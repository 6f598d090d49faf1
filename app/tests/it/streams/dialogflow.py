"""Sound as it is spoken, by Google's client over a gRPC stream each way. Usage: dialogflow.py PORT WAVE"""

import sys
import time
import wave

import grpc
from google.cloud import dialogflow_v2 as dialogflow
from google.cloud.dialogflow_v2.services.sessions import transports

address = "127.0.0.1:" + sys.argv[1]
channel = grpc.insecure_channel(address)
sessions = dialogflow.SessionsClient(transport=transports.SessionsGrpcTransport(channel=channel))
with wave.open(sys.argv[2]) as file:
    rate, samples = file.getframerate(), file.readframes(10_000_000)
config = dialogflow.InputAudioConfig(
    audio_encoding=dialogflow.AudioEncoding.AUDIO_ENCODING_LINEAR_16,
    sample_rate_hertz=rate,
    language_code="en",
)


def requests():
    yield dialogflow.StreamingDetectIntentRequest(
        session=sessions.session_path("home", "stream"),
        query_input=dialogflow.QueryInput(audio_config=config),
        output_audio_config=dialogflow.OutputAudioConfig(
            audio_encoding=dialogflow.OutputAudioEncoding.OUTPUT_AUDIO_ENCODING_LINEAR_16
        ),
    )
    tenth = rate // 10 * 2
    for at in range(0, len(samples), tenth):
        yield dialogflow.StreamingDetectIntentRequest(input_audio=samples[at : at + tenth])
        # As it is spoken.
        time.sleep(0.1)


answers = list(sessions.streaming_detect_intent(requests=requests(), timeout=300))
heard = [answer.recognition_result for answer in answers if answer.recognition_result.transcript]
assert any(not one.is_final for one in heard), f"nothing was heard meanwhile: {answers}"
assert heard[-1].is_final and "time" in heard[-1].transcript.lower(), heard
last = answers[-1]
assert last.query_result.query_text == heard[-1].transcript, last.query_result
assert last.query_result.fulfillment_text and last.output_audio.startswith(b"RIFF"), last.query_result
print("all well")
