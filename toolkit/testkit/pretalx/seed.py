"""Fills an empty pretalx with one event, rooms, released talks and an API token; prints what it made as JSON.

Runs with the python of pretalx' own environment. Settings: PRETALX_CONFIG_FILE (pretalx' own), SEED_URL (base
address), SEED_START (RFC 3339).
"""
import json
import os
from datetime import datetime, timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pretalx.settings")
django.setup()

from django.db import transaction
from django_scopes import scope, scopes_disabled
from pretalx.event.models import Event, Organiser, Team
from pretalx.person.models import SpeakerProfile, User
from pretalx.person.models.auth_token import ENDPOINTS, UserApiToken, WRITE_PERMISSIONS
from pretalx.submission.models import Submission

start = datetime.fromisoformat(os.environ.get("SEED_START", "2026-12-01T09:00:00+00:00"))

with scopes_disabled(), transaction.atomic():
    organiser = Organiser.objects.create(name="Ieum Live", slug="ieum")
    event = Event.objects.create(
        name="Joining Conference", slug="conf", organiser=organiser, email="orga@example.org", timezone="Asia/Seoul",
        date_from=start.date(), date_to=start.date(), is_public=True, locale="en", locale_array="en",
        content_locale_array="en", feature_flags={"show_schedule": True},
    )
    event.build_initial_data()
    user = User.objects.create_user(email="hub@example.org", name="Hub", password=os.urandom(12).hex())
    team = Team.objects.create(
        organiser=organiser, name="Hub", all_events=True, can_change_event_settings=True,
        can_change_submissions=True, can_create_events=True, can_change_organiser_settings=True,
    )
    team.members.add(user)

with scope(event=event), transaction.atomic():
    halls = [event.rooms.create(name=name, capacity=capacity, position=place)
             for place, (name, capacity) in enumerate([("Main entrance", 120), ("North gate", 40)])]
    speaker = User.objects.create_user(email="speaker@example.org", name="Speaker")
    SpeakerProfile.objects.create(user=speaker, event=event)
    talks = []
    for number in range(6):
        talk = Submission.objects.create(
            event=event, title=f"Talk {number}", submission_type=event.cfp.default_type, content_locale="en",
        )
        talk.speakers.add(speaker)
        talk.accept(person=user)
        talk.confirm(person=user)
        slot = talk.slots.get(schedule=event.wip_schedule)
        slot.room = halls[number % 2]
        slot.start = start + timedelta(hours=number // 2)
        slot.end = slot.start + timedelta(minutes=45)
        slot.save()
        talks.append({"code": talk.code, "title": talk.title, "slot": slot.pk})
    event.release_schedule("1.0", user=user)
    token = UserApiToken.objects.create(
        name="hub", user=user, endpoints={endpoint: list(WRITE_PERMISSIONS) for endpoint in ENDPOINTS},
    )
    token.events.add(event)

print(json.dumps({
    "url": os.environ.get("SEED_URL", ""), "token": token.token, "event": event.slug,
    "rooms": [{"id": room.pk, "name": str(room.name), "capacity": room.capacity} for room in halls], "talks": talks,
}))
