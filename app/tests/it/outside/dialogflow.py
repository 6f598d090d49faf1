"""A conversation as Google's client for Python leads it, over gRPC and REST. Usage: dialogflow.py PORT"""

import sys

import grpc
from google.api_core.exceptions import BadRequest, NotFound
from google.auth.credentials import AnonymousCredentials
from google.cloud import dialogflow_v2 as dialogflow
from google.cloud.dialogflow_v2.services.contexts import transports as context_transports
from google.cloud.dialogflow_v2.services.sessions import transports as session_transports
from google.protobuf.struct_pb2 import Struct

address = "127.0.0.1:" + sys.argv[1]


def transport(module, name, way):
    if way == "grpc":
        return getattr(module, name + "GrpcTransport")(channel=grpc.insecure_channel(address))
    return getattr(module, name + "RestTransport")(
        host=address, url_scheme="http", credentials=AnonymousCredentials()
    )


for way in ("grpc", "rest"):
    sessions = dialogflow.SessionsClient(transport=transport(session_transports, "Sessions", way))
    contexts = dialogflow.ContextsClient(transport=transport(context_transports, "Contexts", way))
    session = sessions.session_path("home", "py-" + way)

    def say(text, language="ko", **more):
        spoken = dialogflow.TextInput(text=text, language_code=language)
        query = dialogflow.QueryInput(text=spoken)
        return sessions.detect_intent(request={"session": session, "query_input": query, **more}).query_result

    told = say("지금 몇 시야?")
    assert (told.intent.display_name, told.action) == ("time.query", "time.query"), told
    assert told.fulfillment_text.startswith("지금은 ") and told.all_required_params_present, told
    assert say("what time is it", "en-US").fulfillment_text.startswith("It"), "English"
    asked = say("타이머 맞춰 줘")
    assert asked.fulfillment_text == "몇 분으로 맞출까요?" and not asked.all_required_params_present, asked
    started = say("십오 분")
    assert started.action == "timer.start", started
    assert dict(started.parameters["duration"]) == {"amount": 900.0, "unit": "s"}, started
    assert [(c.name, c.lifespan_count) for c in started.output_contexts] == [(session + "/contexts/timer", 2)], started
    assert say("흐물렁").intent.is_fallback

    mood = Struct()
    mood.update({"how": "좋음"})
    made = contexts.create_context(
        parent=session,
        context=dialogflow.Context(name=session + "/contexts/mood", lifespan_count=5, parameters=mood),
    )
    assert made.lifespan_count == 5, made
    listed = sorted(c.name.rsplit("/")[-1] for c in contexts.list_contexts(parent=session))
    assert "mood" in listed, listed
    contexts.delete_all_contexts(parent=session)
    try:
        contexts.get_context(name=made.name)
        raise AssertionError("it is still there")
    except NotFound as error:
        assert "there is no context" in str(error), error
    try:
        say("salut", "fr")
        raise AssertionError("French was understood")
    except BadRequest as error:
        assert "is none of" in str(error), error
print("all well")
