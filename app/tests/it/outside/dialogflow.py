"""A conversation as Google's client for Python leads it, over gRPC and REST. Usage: dialogflow.py PORT"""

import sys

import grpc
from google.api_core.exceptions import BadRequest, NotFound, ServerError
from google.auth.credentials import AnonymousCredentials
from google.cloud import dialogflow_v2 as dialogflow
from google.cloud.dialogflow_v2.services.contexts import transports as context_transports
from google.cloud.dialogflow_v2.services.intents import transports as intent_transports
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
    intents = dialogflow.IntentsClient(transport=transport(intent_transports, "Intents", way))
    session = sessions.session_path("home", "py-" + way)

    def say(text, language="ko", **more):
        spoken = dialogflow.TextInput(text=text, language_code=language)
        query = dialogflow.QueryInput(text=spoken)
        return sessions.detect_intent(request={"session": session, "query_input": query, **more}).query_result

    def tell_of(event, language):
        happened = dialogflow.EventInput(name=event, language_code=language)
        query = dialogflow.QueryInput(event=happened)
        return sessions.detect_intent(request={"session": session, "query_input": query}).query_result

    for event, language, greeting in (
        ("WELCOME", "ko", "안녕하세요."), ("WELCOME", "en-US", "Hello."), ("FACEBOOK_WELCOME", "en", "Hello."),
    ):
        greeted = tell_of(event, language)
        assert (greeted.fulfillment_text, greeted.query_text) == (greeting, event), greeted
        assert greeted.intent.display_name == "dialog.greet" and not greeted.intent.is_fallback, greeted
    assert tell_of("BUTTON", "ko").intent.is_fallback

    listed = {i.display_name: i for i in intents.list_intents(parent="projects/home/agent")}
    assert list(listed["dialog.greet"].events) == ["WELCOME"] and listed["unknown"].is_fallback, listed
    assert intents.get_intent(name=listed["time.query"].name).action == "time.query", listed
    for write in (
        lambda: intents.create_intent(parent="projects/home/agent", intent=dialogflow.Intent(display_name="x")),
        lambda: intents.delete_intent(name=listed["time.query"].name),
    ):
        try:
            write()
            raise AssertionError("an intent was written")
        except ServerError as error:
            assert error.code == 501 and "read, never written" in str(error), error

    told = say("지금 몇 시야?")
    assert told.intent.name == listed["time.query"].name, told
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
