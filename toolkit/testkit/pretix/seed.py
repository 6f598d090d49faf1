"""Fills an empty pretix with one organizer, a live event, paid orders, a token; prints what it made as JSON.

Runs with the python of pretix' own environment. Settings: PRETIX_CONFIG_FILE (pretix' own), SEED_URL (base address),
SEED_ORDERS (number of paid orders, two positions each), SEED_START (RFC 3339).
"""
import json
import os
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pretix.settings")
django.setup()

from django.db import transaction
from django_scopes import scopes_disabled
from pretix.base.models import Device, Order, OrderPayment, OrderPosition, Organizer, Team
from pretix.base.models.devices import Gate

with scopes_disabled(), transaction.atomic():
    start = datetime.fromisoformat(os.environ.get("SEED_START", "2026-12-01T09:00:00+00:00"))
    organizer = Organizer.objects.create(name="Ieum Live", slug="ieum")
    event = organizer.events.create(
        name="Joining Conference", slug="conf", currency="EUR", live=True, testmode=False, plugins="",
        date_from=start, date_to=start + timedelta(hours=8), is_public=True,
    )
    event.settings.timezone = "UTC"
    item = event.items.create(name="Day ticket", default_price=Decimal("25.00"), admission=True)
    quota = event.quotas.create(name="Day tickets", size=1000)
    quota.items.add(item)
    entry = event.checkin_lists.create(name="Main entrance", all_products=True)
    gate = Gate.objects.create(organizer=organizer, name="North gate", identifier="north")
    gate_list = event.checkin_lists.create(name="North gate", all_products=True)
    gate_list.gates.add(gate)
    channel = organizer.sales_channels.get(identifier="web")
    positions = []
    for number in range(int(os.environ.get("SEED_ORDERS", "20"))):
        order = Order.objects.create(
            event=event, status=Order.STATUS_PAID, email=f"guest{number}@example.org", locale="en",
            datetime=datetime.now(timezone.utc), expires=start, total=Decimal("50.00"), sales_channel=channel,
        )
        for place in (1, 2):
            position = OrderPosition.objects.create(
                order=order, item=item, price=Decimal("25.00"), positionid=place,
                attendee_name_parts={"_scheme": "full", "full_name": f"Guest {number}-{place}"},
            )
            positions.append({"id": position.pk, "order": order.code, "positionid": place, "secret": position.secret})
        order.payments.create(
            provider="manual", state=OrderPayment.PAYMENT_STATE_CONFIRMED, amount=order.total,
            payment_date=datetime.now(timezone.utc),
        )
        order.create_transactions(is_new=True)
    team = Team.objects.create(
        organizer=organizer, name="Hub", all_events=True, all_event_permissions=True, all_organizer_permissions=True,
    )
    token = team.tokens.create(name="hub")
    device = Device.objects.create(
        organizer=organizer, name="Scanner", gate=gate, all_events=True, initialized=datetime.now(timezone.utc),
        api_token=os.urandom(20).hex(), security_profile="full",
    )

print(json.dumps({
    "url": os.environ.get("SEED_URL", ""), "token": token.token, "deviceToken": device.api_token,
    "organizer": organizer.slug, "event": event.slug, "item": item.pk, "quota": quota.pk,
    "checkinList": entry.pk, "gateList": gate_list.pk, "gate": gate.pk, "positions": positions,
}))
