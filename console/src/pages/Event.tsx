// One event: what happens now, what happened, what is expected.
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import MuiLink from "@mui/material/Link";
import Skeleton from "@mui/material/Skeleton";
import { ArrowLeft, CircleHelp } from "lucide-react";
import { Link, useParams } from "wouter";

import { path } from "../api/client";
import { useLive } from "../api/live";
import type { EventInsights, GatesNow, LiveEvent } from "../api/types";
import { AlertLine, StateChip, Under } from "../parts/bits";
import { Facts } from "../parts/dialogs";
import { Beside, Figures, Page, Panel, Stacked } from "../parts/Page";
import { Empty, Loaded, Quiet, useReading, type Reading } from "../parts/states";
import { useText } from "../text";
import { Attendance } from "./event/Attendance";
import { BehaviourPanel } from "./event/Behaviour";
import { ForecastPanel } from "./event/Forecast";
import { Gates } from "./event/Gates";
import { ProgrammePanel } from "./event/Programme";
import { Recommendations } from "./insights/Recommendations";

export default function Event() {
  const { t } = useText();
  const { eventId = "" } = useParams<{ eventId: string }>();
  const { events } = useLive();
  const event = events?.find((one) => one.eventId === eventId);
  const gates = useReading<GatesNow>(path`/api/events/${eventId}/gates`, 10);
  const insights = useReading<EventInsights>(path`/api/events/${eventId}/insights`, 60);
  if (events && !event) {
    return (
      <Page title={eventId} above={<Back />}>
        <Panel>
          <Empty
            icon={CircleHelp}
            title={t.eventUnknown}
            sentence={t.eventUnknownSentence}
            action={
              <Button component={Link} href="/" variant="contained">
                {t.toPage(t.events)}
              </Button>
            }
          />
        </Panel>
      </Page>
    );
  }
  return (
    <Page key={eventId} title={event?.eventName || eventId} above={<Back />} actions={event && <States event={event} />}>
      <Now event={event} gates={gates.data} />
      <Stacked>
        <Attendance eventId={eventId} name={event?.eventName ?? eventId} />
        <Beside columns="3fr 2fr">
          <Gates event={event} insights={insights} counted={gates.data} />
          <Alerts event={event} />
        </Beside>
        <ForecastPanel eventId={eventId} name={event?.eventName ?? eventId} />
        <Beside columns="2fr 3fr">
          <Performance insights={insights} />
          <Panel title={t.recommendations}>
            {insights.isAbsent ? (
              <Quiet>{t.noInsights}</Quiet>
            ) : (
              <Loaded reading={insights} skeleton={<Quiet>{t.loading}</Quiet>}>
                {(found) => <Recommendations list={found.recommendations} />}
              </Loaded>
            )}
          </Panel>
        </Beside>
        <BehaviourPanel eventId={eventId} />
        <ProgrammePanel eventId={eventId} />
      </Stacked>
    </Page>
  );
}

function Back() {
  const { t } = useText();
  return (
    <MuiLink component={Link} href="/" underline="hover" sx={{ display: "inline-flex", alignItems: "center", gap: 0.5, mb: 0.75, fontSize: "0.85rem" }}>
      <ArrowLeft size={15} aria-hidden /> {t.back}
    </MuiLink>
  );
}

function States({ event }: { event: LiveEvent }) {
  const { t, span } = useText();
  const isStale = event.freshness === "stale";
  return (
    <Box sx={{ display: "flex", alignItems: "center", gap: 1, minHeight: 32 }}>
      <StateChip tone={event.status === "active" ? "good" : event.status === "upcoming" ? "info" : "quiet"}>{t.status[event.status]}</StateChip>
      {isStale && <StateChip tone="warning">{t.stale}</StateChip>}
      <Under tone={isStale ? "warning.main" : undefined}>
        {isStale ? t.staleSince(span(event.ageSeconds)) : t.readAgo(span(event.ageSeconds))}
      </Under>
    </Box>
  );
}

function Now({ event, gates }: { event: LiveEvent | undefined; gates: GatesNow | undefined }) {
  const { t, number, percent } = useText();
  const occupancy = gates?.occupancy;
  // A source that counts its people itself leaves nothing to estimate.
  const isEstimate = occupancy?.method === "survival" && occupancy.low < occupancy.high;
  const metrics = event?.metrics;
  const figure = (value: number | undefined) => (value === undefined ? "–" : number(value));
  return (
    <Figures
      figures={[
        {
          name: t.insideNow,
          value: <span data-figure="inside">{figure(metrics?.currentAttendees)}</span>,
          more: isEstimate ? t.between(number(occupancy.low), number(occupancy.high)) : "",
        },
        { name: t.came, value: figure(metrics?.checkedIn) },
        { name: t.registered, value: figure(metrics?.totalRegistered) },
        {
          name: t.attendance,
          more: occupancy?.share === undefined ? "" : t.ofCapacity(percent(occupancy.share)),
          value: metrics && metrics.totalRegistered > 0 ? percent(metrics.attendanceRate) : "–",
        },
      ]}
    />
  );
}

function Alerts({ event }: { event: LiveEvent | undefined }) {
  const { t } = useText();
  const alerts = event?.alerts ?? [];
  return (
    <Panel title={t.alerts}>
      {alerts.length === 0 ? (
        <Quiet>{event ? t.noAlerts : t.loading}</Quiet>
      ) : (
        <Box component="ul" sx={{ listStyle: "none", m: 0, px: 2.5, pb: 2, display: "grid", gap: 1.25 }}>
          {alerts.map((alert) => (
            <li key={alert.kind}>
              <AlertLine alert={alert} />
            </li>
          ))}
        </Box>
      )}
    </Panel>
  );
}

function Performance({ insights }: { insights: Reading<EventInsights> }) {
  const { t, number, percent, dateTime } = useText();
  return (
    <Panel title={t.performance} padded>
      {insights.isAbsent ? (
        <Quiet>{t.noInsights}</Quiet>
      ) : (
        <Loaded reading={insights} skeleton={<Skeleton variant="rounded" height={150} />}>
          {({ performanceMetrics: figures }) => {
            const share = (value: number | undefined) => (value === undefined ? "–" : percent(value));
            const busiest = figures.busiestHour;
            return (
              <Facts
                facts={[
                  [t.mostInside, `${number(figures.mostInside)}${figures.mostInsideAt ? ` · ${dateTime(figures.mostInsideAt)}` : ""}`],
                  [t.busiestHour, busiest ? `${number(busiest.arrivals)} · ${dateTime(busiest.at)}` : "–"],
                  [t.noShow, share(figures.noShowRate)],
                  [t.capacity, figures.capacity === undefined ? t.unknown : number(figures.capacity)],
                  [t.highestOccupancy, share(figures.highestOccupancy)],
                  [t.eventDays, number(figures.eventDays)],
                ]}
              />
            );
          }}
        </Loaded>
      )}
    </Panel>
  );
}
