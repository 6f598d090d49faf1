// The events beside each other and the alerts that stand, as the stream brings them.
import Box from "@mui/material/Box";
import MuiLink from "@mui/material/Link";
import Skeleton from "@mui/material/Skeleton";
import { Link } from "wouter";

import { path } from "../../api/client";
import type { Alert, LiveEvent } from "../../api/types";
import { ALERT_TONE, Said, StateChip, Under } from "../../parts/bits";
import { BELOW, CompareChart } from "../../parts/chart";
import { Framed } from "../../parts/framed";
import { Beside, Panel } from "../../parts/Page";
import { Quiet } from "../../parts/states";
import { useText } from "../../text";

const HEIGHT = 268;
/** More bars than these are too thin to compare. */
const MOST = 6;
/** The line of time shows this much at least and at most, milliseconds. */
const SHORTEST = 600_000;
const LONGEST = 86_400_000;

export function Charts({ events, now }: { events: LiveEvent[] | undefined; now: number }) {
  const { t } = useText();
  const waiting = <Skeleton variant="rounded" height={HEIGHT + BELOW} />;
  return (
    <Box sx={{ mb: 2.5 }}>
      <Beside>
        <Panel title={t.comparison} sentence={t.comparisonSentence(MOST)} padded>
          {events ? <Comparison events={events} /> : waiting}
        </Panel>
        <Panel title={t.timeline} sentence={t.timelineSentence} padded>
          {events ? <Timeline events={events} now={now} /> : waiting}
        </Panel>
      </Beside>
    </Box>
  );
}

/** The best attended first, as `charts.eventComparison` of the dashboard has them. */
function Comparison({ events }: { events: LiveEvent[] }) {
  const { t, percent } = useText();
  const shown = [...events].sort((one, other) => other.metrics.attendanceRate - one.metrics.attendanceRate).slice(0, MOST);
  if (shown.length === 0) return <Quiet height={HEIGHT + BELOW}>{t.noEvents}</Quiet>;
  const rate = ({ metrics }: LiveEvent) => (metrics.totalRegistered > 0 ? percent(metrics.attendanceRate) : "–");
  return (
    <CompareChart
      label={t.comparisonChart}
      height={HEIGHT}
      groups={shown.map((event) => event.eventName || event.eventId)}
      series={[
        { name: t.insideNow, values: shown.map((event) => event.metrics.currentAttendees) },
        { name: t.came, values: shown.map((event) => event.metrics.checkedIn) },
        { name: t.registered, values: shown.map((event) => event.metrics.totalRegistered) },
      ]}
      more={{ name: t.attendance, values: shown.map(rate) }}
    />
  );
}

interface Standing {
  event: LiveEvent;
  alert: Alert;
  /** Since when, milliseconds; `undefined` where nobody noted it. */
  at?: number;
}

/** The earliest first, last those of which the beginning was not noted: as `charts.alertsTimeline` has them. */
function standing(events: LiveEvent[]): Standing[] {
  const all = events.flatMap((event) =>
    event.alerts.map((alert) => ({ event, alert, at: alert.since ? new Date(alert.since).getTime() : undefined })),
  );
  return all.sort((one, other) => (one.at ?? Infinity) - (other.at ?? Infinity) || one.event.eventId.localeCompare(other.event.eventId));
}

function Timeline({ events, now }: { events: LiveEvent[]; now: number }) {
  const { t, dateTime, time, words } = useText();
  const alerts = standing(events);
  if (alerts.length === 0) return <Quiet height={HEIGHT + BELOW}>{t.noAlerts}</Quiet>;
  const earliest = Math.min(...alerts.map(({ at }) => at ?? now));
  const from = Math.max(Math.min(earliest, now - SHORTEST), now - LONGEST);
  const rows = alerts.map(({ event, alert, at }) => [
    at === undefined ? t.unknown : dateTime(at),
    event.eventName || event.eventId,
    words(alert.wording, alert.message),
    t.severity[alert.severity],
  ]);
  return (
    <Framed label={t.timelineChart} head={[t.sinceColumn, t.event, t.alert, t.state]} rows={rows} height={HEIGHT} isText>
      <Box sx={{ height: "100%", display: "flex", flexDirection: "column" }}>
        <Box tabIndex={0} role="region" aria-label={t.timelineChart} sx={{ flexGrow: 1, minHeight: 0, overflowY: "auto" }}>
          <Box component="ul" sx={{ listStyle: "none", m: 0, p: 0 }}>
            {alerts.map((one) => (
              <Bar key={`${one.event.eventId} ${one.alert.kind} ${one.alert.message}`} standing={one} from={from} now={now} />
            ))}
          </Box>
        </Box>
        <Box aria-hidden sx={{ display: "flex", justifyContent: "space-between", pt: 0.75, borderTop: 1, borderColor: "divider" }}>
          <Under>{time(from)}</Under>
          <Under>{time(from + (now - from) / 2)}</Under>
          <Under>{t.now}</Under>
        </Box>
      </Box>
    </Framed>
  );
}

function Bar({ standing: { event, alert, at }, from, now }: { standing: Standing; from: number; now: number }) {
  const { t, ago } = useText();
  const tone = ALERT_TONE[alert.severity];
  const begins = at === undefined ? 0 : Math.min(1, Math.max(0, (at - from) / (now - from)));
  return (
    <Box component="li" data-alert={alert.kind} sx={{ py: 0.75 }}>
      <Box sx={{ display: "flex", gap: 1, alignItems: "center", flexWrap: "wrap" }}>
        <StateChip tone={tone}>{t.severity[alert.severity]}</StateChip>
        <MuiLink component={Link} href={path`/events/${event.eventId}`} underline="hover" sx={{ fontWeight: 600, fontSize: "0.88rem" }}>
          {event.eventName || event.eventId}
        </MuiLink>
        <Under>{alert.since ? t.since(ago(alert.since)) : t.sinceUnknown}</Under>
      </Box>
      <Under>
        <Said wording={alert.wording} sentence={alert.message} />
      </Under>
      <Box aria-hidden sx={{ position: "relative", height: 6, mt: 0.5, borderRadius: "12px", bgcolor: "divider", overflow: "hidden" }}>
        <Box
          sx={{
            position: "absolute",
            inset: 0,
            transformOrigin: "right",
            bgcolor: { info: "info.main", warning: "warning.main", bad: "error.main" }[tone],
            opacity: at === undefined ? 0.35 : 1,
          }}
          style={{ transform: `scaleX(${1 - begins})` }}
        />
      </Box>
    </Box>
  );
}
